"""Celery tasks: each loads by id and calls one function."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from gptbuilder.knowledge import cases, filling, holding, indexes, indexing, records, trials, uploads


@shared_task
def index_content(content_id: str) -> None:
    indexing.index(content_id)


@shared_task
def embed_passages() -> None:
    if filling.fill():
        embed_passages.delay()


@shared_task
def build_index() -> None:
    if filling.fill_building(timezone.now()):
        build_index.delay()


@shared_task
def recover_indexing() -> None:
    indexing.recover(timezone.now())
    indexes.ensure()
    embed_passages.delay()
    if indexes.building() is not None:
        build_index.delay()


@shared_task
def look_after_vectors() -> None:
    indexes.clear_retired()
    filling.look_after_graph()


@shared_task
def run_trial(trial_id: int) -> None:
    trials.run(trial_id)


@shared_task
def purge_records() -> None:
    now = timezone.now()
    records.purge(now)
    cases.purge(now)


@shared_task
def let_go() -> None:
    holding.let_go(timezone.now())
    uploads.purge(timezone.now())
