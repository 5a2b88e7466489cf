"""Celery tasks: each loads by id and calls one function."""

from __future__ import annotations

import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from gptbuilder.conversations import attachments, execution, guests, keeping, live, reaper, titles, turns
from gptbuilder.gpts import versions
from gptbuilder.web import presence

# How long a worker that is told to go lets its runs go on.
DRAIN_SECONDS = 3.0


@shared_task
def execute_run(run_id: str) -> None:
    execution.execute(run_id)


@shared_task
def title_thread(run_id: str) -> None:
    titles.summarise(run_id)


@shared_task
def recover_runs() -> None:
    presence.note_clock()
    reaper.recover(timezone.now())


@shared_task
def purge_guests() -> None:
    guests.purge(timezone.now())


@shared_task
def purge_chats() -> None:
    keeping.purge(timezone.now())


@shared_task
def purge_attachments() -> None:
    attachments.purge(timezone.now())


@shared_task
def prune_snapshots() -> None:
    versions.prune(timezone.now(), references=["runs"])


@worker_shutting_down.connect
def release_runs(**_: Any) -> None:
    """Give runs that do not end in DRAIN_SECONDS to another worker, or to this one after its restart."""

    def release() -> None:
        for run_id in live.release_all():
            turns.send(run_id)

    timer = threading.Timer(DRAIN_SECONDS, release)
    timer.daemon = True
    timer.start()
