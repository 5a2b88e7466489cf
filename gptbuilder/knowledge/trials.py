"""Try all cases of a GPT at once: which passages are found, at what place, and whether that becomes better.

A trial is made by a worker, case by case. It may be made twice: the outcome is the same. One whose worker died says
nothing any more, and the next one takes its place.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAway

from gptbuilder.knowledge import cases, search
from gptbuilder.knowledge.models import RetrievalCase, RetrievalTrial

log = logging.getLogger(__name__)

# Recall counts what is among the first; the place is told further down.
FIRST = 10
DEPTH = 50
SILENT = timedelta(seconds=60)
# Before its first case a trial waits behind the files that are being indexed.
WAITING = timedelta(minutes=10)
KEPT = 100
# A passage finds itself by its own words if it is still there.
SELF_LETTERS = 1_000
SELF_DEPTH = 5

FOUND, LOW, MISSED, GONE = "found", "low", "missed", "gone"


class NothingToTry(Exception):
    """There are no cases, or no files to search."""


def begin(holder_id: str, file_ids: Sequence[str], now: datetime) -> RetrievalTrial:
    """A new trial over these files, or the one that is being made. Raises NothingToTry."""
    count = cases.of(holder_id).count()
    if not count or not file_ids:
        raise NothingToTry
    unfinished = RetrievalTrial.objects.filter(holder_id=holder_id, ended_at=None)
    unfinished.exclude(_is_alive(now)).delete()
    try:
        with transaction.atomic():
            trial = RetrievalTrial.objects.create(
                holder_id=holder_id, file_ids=list(file_ids), case_count=count, begun_at=now, heartbeat_at=now
            )
            transaction.on_commit(lambda: _hand_over(trial.pk))
    except IntegrityError:
        return unfinished.get()
    return trial


def _hand_over(trial_id: int) -> None:
    from gptbuilder.knowledge import tasks

    try:
        tasks.run_trial.delay(trial_id)
    except (BrokerAway, OSError):
        RetrievalTrial.objects.filter(pk=trial_id).delete()
        log.warning("the broker is away; the cases cannot be tried")


def run(trial_id: int) -> None:
    """Make the trial. Does nothing when it has ended or another took its place."""
    trial = RetrievalTrial.objects.filter(pk=trial_id, ended_at=None).first()
    if trial is None:
        return
    unfinished = RetrievalTrial.objects.filter(pk=trial.pk, ended_at=None)
    outcomes: list[dict[str, Any]] = []
    by_meaning = True
    for case in cases.of(trial.holder_id):
        outcome, meant = _tried(case, trial.file_ids)
        outcomes.append(outcome)
        by_meaning &= meant
        if not unfinished.update(
            outcomes=outcomes, case_count=max(trial.case_count, len(outcomes)), heartbeat_at=timezone.now()
        ):
            return
    found = sum(outcome["outcome"] == FOUND for outcome in outcomes)
    unfinished.update(
        case_count=len(outcomes),
        recall=found / len(outcomes) if outcomes else 0.0,
        by_meaning=by_meaning and bool(outcomes),
        ended_at=timezone.now(),
    )
    _forget_old(trial.holder_id)


def unfinished(holder_id: str, now: datetime) -> RetrievalTrial | None:
    """The trial that is being made; none when its worker is silent."""
    return RetrievalTrial.objects.filter(_is_alive(now), holder_id=holder_id, ended_at=None).first()


def _is_alive(now: datetime) -> Q:
    return Q(heartbeat_at__gte=now - SILENT) | Q(heartbeat_at__gte=now - WAITING, outcomes=[])


def history(holder_id: str) -> list[RetrievalTrial]:
    """Those that ended, the oldest first."""
    ended = RetrievalTrial.objects.filter(holder_id=holder_id, ended_at__isnull=False)
    return list(ended.order_by("-pk")[:KEPT])[::-1]


def _tried(case: RetrievalCase, file_ids: Sequence[str]) -> tuple[dict[str, Any], bool]:
    """What became of a case, and whether the search was by meaning too."""
    has_file = case.file_id in file_ids
    found = search.search(file_ids, case.question, DEPTH)
    meant = ((rank, hit) for rank, hit in enumerate(found, 1) if cases.is_meant(case, hit, has_file=has_file))
    for rank, hit in meant:
        cases.keep_up(case, hit)
        return {"case": case.pk, "outcome": FOUND if rank <= FIRST else LOW, "rank": rank}, found.by_meaning
    is_there = any(
        cases.is_meant(case, hit, has_file=has_file)
        for hit in search.search(file_ids, case.text[:SELF_LETTERS], SELF_DEPTH, rerank=False)
    )
    return {"case": case.pk, "outcome": MISSED if is_there else GONE, "rank": None}, found.by_meaning


def _forget_old(holder_id: str) -> None:
    kept = RetrievalTrial.objects.filter(holder_id=holder_id).order_by("-pk").values_list("pk", flat=True)[:KEPT]
    RetrievalTrial.objects.filter(holder_id=holder_id, ended_at__isnull=False).exclude(pk__in=list(kept)).delete()
