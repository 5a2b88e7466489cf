"""The shell that drives the agent's loop: claims a run, records and streams what happens, ends it."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_noop

from gptbuilder.agent import loop
from gptbuilder.agent.events import Event, Finished, ModelFinished, ModelStarted, Paused, ToolFinished, ToolStarted
from gptbuilder.conversations import attachments, history, recorder, stream, titles
from gptbuilder.conversations.live import Hold, holding
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gateway import tokens
from gptbuilder.gateway.errors import Closed, GatewayError
from gptbuilder.gateway.model import ChatModel
from gptbuilder.gateway.types import Completion, Message, ModelEntry, TextDelta
from gptbuilder.tools import models, registry
from gptbuilder.web import logs

log = logging.getLogger(__name__)

# How often a run looks whether the local model is there.
LOADING_SECONDS = 0.5

ENDINGS = {
    "stop": Run.Status.COMPLETED,
    "length": Run.Status.INCOMPLETE,
    "content_filter": Run.Status.INCOMPLETE,
    "too_many_steps": Run.Status.INCOMPLETE,
}


@dataclass
class _Progress:
    """What this attempt has said and when; the part of it that no row holds yet."""

    text: str = ""
    completion: Completion | None = None
    model_started_at: datetime = field(default_factory=timezone.now)
    first_token_at: datetime | None = None
    model: str = ""

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
    progress.model = entry.name
    context = registry.Context(
        person=run.person,
        purpose=run.thread.purpose,
        subject_id=run.thread.subject_id,
        said=run.question.text,
        entry=entry,
    )
    equipment = registry.equipment(run.version, context)
    messages = _messages(run, equipment.system, entry)
    if run.attempt > 1:
        stream.publish(run.pk, run.attempt, "restart", {}, at_once=True)
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
    step = {"tool": "", "state": "started", "label": gettext_noop("Waiting until the model is loaded")}
    stream.publish(run.pk, run.attempt, "step", step, at_once=True)
    while models.is_loading(entry):
        if hold.ended:
            raise Closed
        time.sleep(LOADING_SECONDS)
    stream.publish(run.pk, run.attempt, "step", {**step, "state": "finished"}, at_once=True)


def _messages(run: Run, system: str, entry: ModelEntry) -> list[Message]:
    # The beginning of a chat is at hand, and a first attempt has done nothing yet: no query then.
    question = run.question
    path = [question] if question and question.parent_id is None else run.thread.path(run.question_id)
    images = attachments.for_model(path) if entry.vision else {}
    conversation = history.conversation(path, images) + history.of_steps(run.steps.all() if run.attempt > 1 else [])
    return history.fit(system, conversation, entry.context_window, entry.max_output_tokens, tokens.count)


def _handle(event: Event, run: Run, progress: _Progress, equipment: registry.Equipment) -> None:
    match event:
        case ModelStarted():
            progress.text, progress.completion, progress.model_started_at = "", None, timezone.now()
        case TextDelta(text=text):
            first = progress.first_token_at is None
            if first:
                progress.first_token_at = timezone.now()
            progress.text += text
            stream.publish(run.pk, run.attempt, "delta", {"text": text}, at_once=first)
        case ModelFinished(completion=completion):
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
        case Paused():
            raise RuntimeError("no tool of a GPT asks for input yet")


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
        )
    except recorder.Superseded:
        return
    stream.publish(run.pk, run.attempt, "done", {}, at_once=True)
    if status == Run.Status.COMPLETED and run.thread.purpose == Thread.Purpose.CHAT:
        titles.request(run)
