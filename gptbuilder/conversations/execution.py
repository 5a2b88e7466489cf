"""The shell that drives the agent's loop: claims a run, records and streams what happens, ends it."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_noop

from gptbuilder.agent import loop
from gptbuilder.agent.events import Event, Finished, ModelFinished, ModelStarted, Paused, ToolFinished, ToolStarted
from gptbuilder.conversations import attachments, citations, history, recorder, stream, thread_files, titles
from gptbuilder.conversations.live import Hold, holding
from gptbuilder.conversations.models.message import Message as Said
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.models.thread_file import ThreadFile
from gptbuilder.gateway import tokens
from gptbuilder.gateway.errors import Closed, GatewayError
from gptbuilder.gateway.model import ChatModel
from gptbuilder.gateway.types import AssistantMessage, Completion, Message, ModelEntry, TextDelta
from gptbuilder.tools import models, passages, registry
from gptbuilder.tools.quoting import Cutter, QuoteLimit
from gptbuilder.web import logs

log = logging.getLogger(__name__)

# How often a run looks whether the local model is there.
LOADING_SECONDS = 0.5
# How long it waits for files that came with the message, and how often it looks.
FILES_SECONDS = 60.0
FILES_PAUSE_SECONDS = 0.4

ENDINGS = {
    "stop": Run.Status.COMPLETED,
    "length": Run.Status.INCOMPLETE,
    "content_filter": Run.Status.INCOMPLETE,
    "too_many_steps": Run.Status.INCOMPLETE,
}


@dataclass
class _Progress:
    """What this attempt has said and when; the part of it that no row holds yet. `cuts` counts quotations that were
    cut in the whole answer."""

    text: str = ""
    cutter: Cutter | None = None
    cuts: int = 0
    equipment: registry.Equipment | None = None
    completion: Completion | None = None
    model_started_at: datetime = field(default_factory=timezone.now)
    first_token_at: datetime | None = None
    model: str = ""

    def begin(self, limit: QuoteLimit | None) -> None:
        """The model speaks anew."""
        self.text, self.completion, self.model_started_at = "", None, timezone.now()
        self.cutter = Cutter(limit) if limit else None

    def end(self) -> str:
        """What was held back of the text."""
        rest = self.cutter.rest() if self.cutter else ""
        self.cuts += self.cutter.cuts if self.cutter else 0
        self.text += rest
        return rest

    def so_far(self) -> Completion | None:
        return self.completion or (Completion(self.text) if self.text else None)


def execute(run_id: str) -> None:
    """Execute a queued run to its end. Does nothing when another worker has it; may be called twice.

    The run ends in a terminal state whatever the model does. Only when the worker dies or the database stays
    away does it not; then the reaper takes it up.
    """
    run = recorder.claim(run_id)
    if run is None:
        return
    with logs.bind_run(run.pk), holding(run.pk, run.attempt) as hold:
        progress = _Progress()
        try:
            _drive(run, hold, progress)
        except recorder.Superseded:
            log.info("another attempt has the run")
        except Closed:
            _ended_early(run, hold, progress)
        except GatewayError as error:
            log.warning("the model failed", extra={"code": error.code, "detail": str(error)})
            _end(run, progress, Run.Status.FAILED, error_code=error.code, error_detail=str(error))
        except Exception as error:
            log.exception("the run failed")
            _end(run, progress, Run.Status.FAILED, error_code="internal", error_detail=type(error).__name__)
        finally:
            connection.close()


def _drive(run: Run, hold: Hold, progress: _Progress) -> None:
    if run.question is None or run.version is None:
        raise ValueError("a run that goes on has lost its question or its version")
    # The builder is the operator's own tool: its turns use the default.
    is_builder = run.thread.purpose == Thread.Purpose.BUILDER
    entry = models.entry() if is_builder else models.entry_of(run.version)
    progress.model, progress.first_token_at = entry.name, run.first_token_at
    # The beginning of a chat is at hand: no query then.
    path = [run.question] if run.question.parent_id is None else run.thread.path(run.question_id)
    files = [] if is_builder or not run.has_files else _wait_for_files(run, hold, path)
    # A first attempt has done nothing yet.
    earlier = list(run.steps.all()) if run.attempt > 1 else []
    context = registry.Context(
        person=run.person,
        purpose=run.thread.purpose,
        subject_id=run.thread.subject_id,
        said=run.question.text,
        entry=entry,
        before=next((message.text for message in path[-2::-1] if message.is_mine), ""),
        file_ids=tuple(file.file_id for file in files),
        run_id=run.pk,
        decisions={step.call_id: step.decision for step in earlier if step.decision},
    )
    equipment = progress.equipment = registry.equipment(run.version, context)
    steps = _told_again(earlier, equipment)
    messages = _messages(path, files, steps, equipment, entry)
    if equipment.opening and not steps:
        recorder.model_answered(run, Completion("", equipment.opening), timezone.now())
        messages.append(AssistantMessage("", equipment.opening))
    if run.attempt > run.paused_attempt + 1:
        # The attempt before was lost; what it has stored stays said.
        said = history.answer_so_far(steps)
        stream.publish(run.pk, run.attempt, "restart", {"text": f"{said}\n\n" if said else ""}, at_once=True)
    connection.close()
    _wait_for_model(run, hold, entry)
    model = ChatModel(entry)
    hold.on_end(model.close)
    with closing(loop.run(model, messages, equipment.tools, tool_choice=equipment.tool_choice)) as events:
        for event in events:
            if hold.ended:
                raise Closed
            _handle(event, run, progress, equipment)


def _wait_for_model(run: Run, hold: Hold, entry: ModelEntry) -> None:
    """Be patient with a local model that is still on its way, and say so."""
    if not models.is_loading(entry):
        return
    _step(run, "started", gettext_noop("Waiting until the model is loaded"))
    while models.is_loading(entry):
        if hold.ended:
            raise Closed
        time.sleep(LOADING_SECONDS)
    _step(run, "finished")


def _wait_for_files(run: Run, hold: Hold, path: Sequence[Said]) -> list[ThreadFile]:
    """The conversation's files, those that have just come with a little patience: they are read in seconds mostly."""
    files = thread_files.of_path(path)
    deadline = time.monotonic() + FILES_SECONDS
    told = ""
    while (unread := [file for file in files if file.is_being_read]) and time.monotonic() < deadline:
        if hold.ended:
            raise Closed
        if told != unread[0].name:
            told = unread[0].name
            _step(run, "started", gettext_noop("Reading %(name)s…"), name=told)
        connection.close()
        time.sleep(FILES_PAUSE_SECONDS)
        files = thread_files.of_path(path)
    if told:
        _step(run, "finished")
    return files


def _step(run: Run, state: str, label: str = "", **values: str) -> None:
    """Say what goes on although no tool is at work."""
    step = {"tool": "", "state": state, "label": label, **({"values": values} if values else {})}
    stream.publish(run.pk, run.attempt, "step", step, at_once=True)


def _told_again(steps: list[RunStep], equipment: registry.Equipment) -> list[RunStep]:
    """The steps of earlier attempts, with what they told the model and did not keep."""
    for step in steps:
        if step.finished_at and step.data and (output := equipment.again(step.tool, step.data)) is not None:
            step.output = output
    return steps


def _messages(
    path: Sequence[Said],
    files: Sequence[ThreadFile],
    steps: Sequence[RunStep],
    equipment: registry.Equipment,
    entry: ModelEntry,
) -> list[Message]:
    images = attachments.for_model(path) if entry.vision else {}
    names: dict[str, list[str]] = {}
    for file in files:
        names.setdefault(str(file.message_id), []).append(passages.harmless(file.name))
    # What was searched unasked in earlier turns tells a small model nothing.
    conversation = history.conversation(path, images, names, tells_calls=not equipment.opening)
    return history.fit(
        equipment.system,
        [*conversation, *history.of_steps(steps)],
        entry.context_window - equipment.reserved_tokens,
        entry.max_output_tokens,
        tokens.count,
    )


def _handle(event: Event, run: Run, progress: _Progress, equipment: registry.Equipment) -> None:
    match event:
        case ModelStarted():
            progress.begin(equipment.limit)
        case TextDelta(text=text):
            text = progress.cutter.feed(text) if progress.cutter else text
            first = progress.first_token_at is None
            if first:
                progress.first_token_at = timezone.now()
            progress.text += text
            stream.publish(run.pk, run.attempt, "delta", {"text": text}, at_once=first)
        case ModelFinished(completion=completion):
            if rest := progress.end():
                stream.publish(run.pk, run.attempt, "delta", {"text": rest})
            if equipment.limit:
                completion = replace(completion, text=equipment.limit.cut(completion.text))
            if completion.tool_calls:
                recorder.model_answered(run, completion, progress.model_started_at)
                progress.text = ""
                if completion.text:
                    stream.publish(run.pk, run.attempt, "delta", {"text": "\n\n"})
            else:
                progress.completion = completion
        case ToolStarted(call=call):
            step = {"tool": call.name, "state": "started", "label": equipment.label(call.name)}
            stream.publish(run.pk, run.attempt, "step", step, at_once=True)
        case ToolFinished(call=call, output=output):
            recorder.tool_answered(run, call, output)
            stream.publish(run.pk, run.attempt, "step", {"tool": call.name, "state": "finished"}, at_once=True)
            if output.data and (changes := output.data.get("changes")):
                stream.publish(run.pk, run.attempt, "changed", {"fields": [change["field"] for change in changes]})
        case Finished(reason=reason):
            _end(run, progress, ENDINGS[reason], error_code="" if reason == "stop" else reason)
        case Paused(calls=calls):
            if recorder.pause(run, calls, progress.first_token_at, progress.model):
                stream.publish(run.pk, run.attempt, "paused", {}, at_once=True)
            else:
                _end(run, progress, Run.Status.CANCELLED)


def _ended_early(run: Run, hold: Hold, progress: _Progress) -> None:
    if hold.ended == "cancelled":
        _end(run, progress, Run.Status.CANCELLED)
    else:
        log.info("this attempt gives the run up", extra={"why": hold.ended})


def _end(run: Run, progress: _Progress, status: str, *, error_code: str = "", error_detail: str = "") -> None:
    """Store the end, then tell the pages. The row is there before anybody hears of it."""
    try:
        recorder.finish(
            run,
            status,
            completion=progress.so_far(),
            started_at=progress.model_started_at,
            first_token_at=progress.first_token_at,
            error_code=error_code,
            error_detail=error_detail,
            model=progress.model,
            note=lambda text: _note(progress, text),
        )
    except recorder.Superseded:
        return
    stream.publish(run.pk, run.attempt, "done", {}, at_once=True)
    if status == Run.Status.COMPLETED and run.thread.purpose == Thread.Purpose.CHAT:
        titles.request(run)


def _note(progress: _Progress, text: str) -> dict[str, Any] | None:
    """What the last step remembers: passages that stood in the system text, as far as the answer shows them, and how
    many quotations were cut."""
    equipment = progress.equipment
    if equipment is None:
        return None
    note: dict[str, Any] = {}
    if equipment.whole:
        note["passages"] = citations.shown_of(equipment.whole, text, is_closed=equipment.is_closed)
    if equipment.limit and progress.cuts:
        note |= {"cuts": progress.cuts, "words": equipment.limit.words}
    return note or None
