"""A run that waits for its person: their answers to what it asks, and its end when there are none.

No worker holds such a run. It goes on as an attempt of its own once everything it asks is answered, so it survives
restarts of everything and can be answered from another device.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from gptbuilder.accounts.requests import Request
from gptbuilder.conversations import faces, live, recorder, turns
from gptbuilder.conversations.arguments import Unreadable, changed
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.step import RunStep, RunStepQuerySet


class NotPossible(Exception):
    """This answer is none to what the run asks."""


def decide(
    run: Run, call_id: str, decision: str, now: datetime, arguments: dict[str, Any] | None = None
) -> RunStep | None:
    """Answer one call that waits; `arguments` are the person's own in the place of the model's. After the last one
    the run goes on. None when the call does not wait any more. Raises NotPossible, and then has stored nothing."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run.pk)
        step = waiting(run).filter(call_id=call_id).first()
        if step is None:
            return None
        needs = step.needs or {}
        if decision not in needs.get("decisions", ()):
            raise NotPossible(decision)
        step.decision = decision
        if arguments is not None:
            step.arguments = json.dumps(arguments, ensure_ascii=False)
        step.save(update_fields=["decision", "arguments"])
        if not waiting(run).exists():
            _go_on(run, now)
        return step


def waiting(run: Run) -> RunStepQuerySet:
    """The calls that wait for the person, in their order."""
    return RunStep.objects.waiting().filter(run=run, run__status=Run.Status.REQUIRES_ACTION)


def stop(run: Run, now: datetime) -> None:
    """Stop an answer, also one that waits. What was written so far is kept. Safe to call twice."""
    if not end(run, Run.Status.CANCELLED, now):
        turns.cancel(run)


def expire(now: datetime) -> int:
    """End the runs that have waited too long; gives their number. Safe to run twice at once."""
    latest = now - timedelta(hours=settings.CONSENT_WAIT_HOURS)
    late = Run.objects.filter(status=Run.Status.REQUIRES_ACTION, paused_at__lt=latest)
    return sum(end(run, Run.Status.EXPIRED, now) for run in late)


def end(run: Run, status: str, now: datetime) -> bool:
    """End a run that waits, with the text it has. False when it does not wait."""
    paused = Run.objects.filter(pk=run.pk, status=Run.Status.REQUIRES_ACTION)
    # Should this process die now, the reaper ends it as stopped.
    if not paused.update(status=Run.Status.CANCELLING, heartbeat_at=now):
        return False
    run.refresh_from_db()
    recorder.finish(run, status, first_token_at=run.first_token_at, model=run.model)
    live.announce_end(run)
    return True


def _go_on(run: Run, now: datetime) -> None:
    Run.objects.filter(pk=run.pk).update(status=Run.Status.QUEUED, heartbeat_at=now)
    transaction.on_commit(lambda: turns.send(run.pk))


@require_POST
def decision(request: Request, run_id: str) -> HttpResponse:
    """The person's answer to a call that waits; gives the answer's place on the page as it is then."""
    runs = Run.objects.of(request.person).select_related("thread__gpt__draft", "thread__gpt__live_version", "version")
    run = get_object_or_404(runs, pk=run_id)
    data, problem = request.POST, ""
    # Answered already, on another device: then only what has become of it is shown.
    step = waiting(run).filter(call_id=data.get("call", "")).first()
    try:
        if step is not None:
            decide(run, step.call_id, data.get("decision", ""), timezone.now(), changed(step.arguments, data.dict()))
    except NotPossible:
        return HttpResponse(status=400)
    except Unreadable as error:
        problem = gettext("This is no value that fits: %(name)s") % {"name": error.key}
    run.refresh_from_db(fields=["status", "attempt", "paused_attempt"])
    context = {**faces.ended_context(run), "problem": problem, "of_step": step and step.pk}
    return render(request, "conversations/_answer_now.html", context, status=422 if problem else 200)
