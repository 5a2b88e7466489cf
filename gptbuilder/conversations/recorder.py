"""Events of the agent → rows. Every write goes through the attempt that holds the run.

A write of an attempt that lost the run raises Superseded and leaves nothing behind. A write that finds no
database tries again for RETRY_SECONDS, so that a restart of PostgreSQL costs a pause and no answer.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, Max, Model, OuterRef
from django.utils import timezone

from gptbuilder.agent.tool import NeedsInput, ToolOutput
from gptbuilder.conversations import citations, history, queueing
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.step import STEPS, RunStep
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.models.thread_file import ThreadFile
from gptbuilder.gateway.types import Completion, ToolCall
from gptbuilder.web import markdown, ready
from gptbuilder.web.ready import Ready

RETRY_SECONDS = 30.0
PAUSE_SECONDS = 0.5

CLAIMED = Ready(
    lambda run_id: (
        Run.objects.select_related("thread", "version", "person", "question")
        .annotate(  # type: ignore[no-redef]  # so it is meant
            has_files=Exists(ThreadFile.objects.filter(message__thread=OuterRef("thread")))
        )
        .filter(pk=run_id)
    ),
    str,
)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Note = Callable[[str], dict[str, Any] | None]


class Superseded(Exception):
    """Another attempt has the run, or it has ended: write nothing more."""


def persistent(write: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Try again while the database is away, and give the connection back afterwards: a run spends its life
    waiting for a model and must not keep a connection meanwhile."""

    @functools.wraps(write)
    def wrapper(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                return write(*args, **kwargs)
            except (OperationalError, InterfaceError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE_SECONDS)
            finally:
                connection.close()

    return wrapper


@persistent
def claim(run_id: str) -> Run | None:
    """Take a queued run for this worker: a new attempt. None when somebody else has it or it has ended."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE conversations_run SET status = 'in_progress', attempt = attempt + 1, heartbeat_at = %s, "
            "started_at = coalesce(started_at, %s) WHERE id = %s AND status = 'queued' RETURNING id",
            [now, now, run_id],
        )
        if cursor.fetchone() is None:
            return None
    return CLAIMED.first(run_id)


@persistent
def model_answered(run: Run, completion: Completion, started_at: datetime) -> None:
    """Store a message of the model that calls tools, and the calls, not yet answered."""
    with transaction.atomic():
        _hold(run)
        position = _next_position(run)
        now = timezone.now()
        said = _message_step(run, position, completion, started_at, now)
        calls = [
            RunStep(
                run=run,
                position=position + number,
                kind=RunStep.Kind.TOOL,
                attempt=run.attempt,
                call_id=call.id,
                tool=call.name,
                arguments=_storable(call.arguments),
                started_at=now,
            )
            for number, call in enumerate(completion.tool_calls, start=1)
        ]
        RunStep.objects.bulk_create([said, *calls])


@persistent
def tool_answered(run: Run, call: ToolCall, output: ToolOutput) -> None:
    with transaction.atomic():
        _hold(run)
        run.steps.filter(call_id=call.id, finished_at=None).update(
            status=RunStep.Status.FAILED if output.is_error else RunStep.Status.COMPLETED,
            output=_storable(output.text if output.kept is None else output.kept),
            data=output.data,
            finished_at=timezone.now(),
        )


@persistent
def pause(run: Run, calls: Sequence[tuple[ToolCall, NeedsInput]], first_token_at: datetime | None, model: str) -> bool:
    """Let the run wait for somebody's answer to these calls, without a worker. False when it is to stop instead."""
    with transaction.atomic():
        _hold(run)
        now = timezone.now()
        for call, need in calls:
            run.steps.filter(call_id=call.id, finished_at=None).update(
                needs={"kind": need.kind, **need.payload}, decision=""
            )
        going_on = Run.objects.held(run.pk, run.attempt).filter(status=Run.Status.IN_PROGRESS)
        return bool(
            going_on.update(
                status=Run.Status.REQUIRES_ACTION,
                paused_at=now,
                paused_attempt=run.attempt,
                heartbeat_at=None,
                first_token_at=first_token_at,
                model=model[:120],
            )
        )


@persistent
def finish(
    run: Run,
    status: str,
    *,
    completion: Completion | None = None,
    started_at: datetime | None = None,
    first_token_at: datetime | None = None,
    error_code: str = "",
    error_detail: str = "",
    model: str = "",
    note: Note | None = None,
) -> None:
    """End the run: its last message step, its answer as a message, the thread's head; the next message that waits
    becomes a turn. One transaction.

    `completion` is the last message of the model, whole or as far as it came; without any text there is no
    answer and the thread's head stays at the question. `note` gives what its step remembers, for the whole answer.
    """
    now = timezone.now()
    with transaction.atomic():
        steps = STEPS.rows(run.pk)
        if completion is not None:
            position = max((step.position for step in steps), default=0) + 1
            steps.append(_message_step(run, position, completion, started_at or now, now))
        # This write holds the run. Steps that another attempt has added meanwhile are none of ours: it lost.
        if not Run.objects.held(run.pk, run.attempt).update(
            status=status,
            finished_at=now,
            first_token_at=first_token_at,
            error_code=error_code,
            error_detail=error_detail[:2000],
            model=model[:120],
            input_tokens=sum(step.input_tokens for step in steps),
            output_tokens=sum(step.output_tokens for step in steps),
        ):
            raise Superseded
        text = history.answer_so_far(steps)
        new: list[Model] = []
        if completion is not None:
            steps[-1].data = note(text) if note else None
            new.append(steps[-1])
        head: dict[str, object] = {"updated_at": now}
        if text:
            head["head"] = answer = Message(
                thread_id=run.thread_id,
                parent_id=run.question_id,
                role=Message.Role.ASSISTANT,
                text=text,
                html=citations.marked(markdown.render(text), citations.passages(steps)),
                run=run,
            )
            new.append(answer)
        if new:
            ready.insert(*new)
        Thread.objects.filter(pk=run.thread_id).update(**head)
        # The thread's row is locked from here on: a message that is being put into the queue is in it already, or
        # finds the run ended.
        if status in (Run.Status.COMPLETED, Run.Status.INCOMPLETE):
            queueing.advance(run.thread_id, now)


def _hold(run: Run) -> None:
    if not Run.objects.held(run.pk, run.attempt).select_for_update().values_list("pk").first():
        raise Superseded


def _next_position(run: Run) -> int:
    return (RunStep.objects.filter(run=run).aggregate(last=Max("position"))["last"] or 0) + 1


def _message_step(run: Run, position: int, completion: Completion, started: datetime, finished: datetime) -> RunStep:
    return RunStep(
        run=run,
        position=position,
        kind=RunStep.Kind.MESSAGE,
        status=RunStep.Status.COMPLETED,
        attempt=run.attempt,
        text=_storable(completion.text),
        input_tokens=completion.usage.input_tokens,
        output_tokens=completion.usage.output_tokens,
        started_at=started,
        finished_at=finished,
    )


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL in a text."""
    return text.replace("\x00", "")
