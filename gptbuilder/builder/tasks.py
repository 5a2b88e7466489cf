"""Celery tasks of the builder."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import deleting
from gptbuilder.gpts.models import GPT
from gptbuilder.knowledge import cases, records


@shared_task
def purge_deleted_gpts() -> None:
    """Erase what nobody can bring back any more, with the chats its maker tried it in and what it searched."""
    deleting.purge(timezone.now(), first=forget_trying)


def forget_trying(gpt: GPT) -> None:
    records.forget(gpt.pk)
    cases.forget(gpt.pk)
    Thread.objects.filter(gpt=gpt, purpose=Thread.Purpose.PREVIEW).delete()
