"""Celery tasks: each loads by id and calls one function."""

from __future__ import annotations

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from gptbuilder.accounts import closing, exports, notifications


@shared_task
def send_notification(pk: int) -> None:
    notifications.send(pk, timezone.now())


@shared_task
def send_waiting() -> None:
    notifications.send_waiting(timezone.now())


@shared_task
def build_export(export_id: str) -> None:
    exports.build(export_id)


@shared_task
def look_after_accounts() -> None:
    """Erase what is due, forget old copies and sessions that have expired."""
    now = timezone.now()
    closing.purge(now)
    exports.give_up_silent(now)
    exports.forget_expired(now)
    call_command("clearsessions")
