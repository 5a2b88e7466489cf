"""Runs whose worker went silent: a new attempt, or an end with a reason.

The broker cannot tell that a worker died in the middle of a run; the heartbeat can.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from gptbuilder.conversations import deciding, live, turns
from gptbuilder.conversations.models.run import Run

log = logging.getLogger(__name__)

SILENT = timedelta(seconds=15)
UNCLAIMED = timedelta(seconds=30)
ATTEMPTS_MOST = 3


def recover(now: datetime) -> dict[str, int]:
    """Look after every run that waits for a worker or has lost its own. Safe to run twice at once.

    Silent and stopping: cancelled. Silent after the last attempt: failed. Silent: queued and sent again.
    Queued and never claimed: sent again. Waiting for its person too long: expired. Gives the number of each.
    """
    done = {"cancelled": 0, "failed": 0, "requeued": 0, "resent": 0, "expired": deciding.expire(now)}
    silent = Run.objects.filter(heartbeat_at__lt=now - SILENT)
    for run in silent.filter(status=Run.Status.CANCELLING):
        done["cancelled"] += _end(run, Run.Status.CANCELLED, "", now)
    for run in silent.filter(status=Run.Status.IN_PROGRESS):
        if run.attempt - run.paused_attempt >= ATTEMPTS_MOST:
            done["failed"] += _end(run, Run.Status.FAILED, "lost", now)
        else:
            done["requeued"] += _requeue(run, now)
    waiting = Run.objects.filter(status=Run.Status.QUEUED)
    never_claimed = waiting.filter(heartbeat_at=None, created_at__lt=now - UNCLAIMED)
    put_back = waiting.filter(heartbeat_at__lt=now - UNCLAIMED)
    for run in never_claimed | put_back:
        # The heartbeat of a queued run says when it was last sent, so that a long queue is not sent over and over.
        if Run.objects.filter(pk=run.pk, status=Run.Status.QUEUED, heartbeat_at=run.heartbeat_at).update(
            heartbeat_at=now
        ):
            turns.send(run.pk)
            done["resent"] += 1
    return done


def _end(run: Run, status: str, error_code: str, now: datetime) -> int:
    ended = Run.objects.held(run.pk, run.attempt).update(status=status, error_code=error_code, finished_at=now)
    if ended:
        log.warning("ended a silent run", extra={"run": run.pk, "status": status})
        live.announce_end(run)
    return ended


def _requeue(run: Run, now: datetime) -> int:
    with transaction.atomic():
        requeued = (
            Run.objects.held(run.pk, run.attempt)
            .filter(status=Run.Status.IN_PROGRESS, heartbeat_at=run.heartbeat_at)
            .update(status=Run.Status.QUEUED, heartbeat_at=now)
        )
        if requeued:
            log.warning("put a silent run back", extra={"run": run.pk, "attempt": run.attempt})
            transaction.on_commit(lambda: turns.send(run.pk))
    return requeued
