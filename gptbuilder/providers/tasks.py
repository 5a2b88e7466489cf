"""Celery tasks: each loads by id and calls one function."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from gptbuilder.providers import checking, editing


@shared_task
def check_connection(check_id: int) -> None:
    checking.run(check_id)


@shared_task
def purge_providers() -> None:
    editing.purge(timezone.now())
