"""Deleting a GPT: at once for everybody, for good after KEPT_DAYS. Its owner can bring it back until then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.files.storage import default_storage
from django.db import transaction

from gptbuilder.gpts.models import GPT

KEPT_DAYS = 30


def delete(gpt: GPT, now: datetime) -> None:
    """Hide the GPT from everybody; its link leads nowhere. Deleting twice keeps the first moment."""
    GPT.objects.filter(pk=gpt.pk, deleted_at=None).update(deleted_at=now)


def bring_back(gpt: GPT) -> None:
    """Everything is as it was, the link too. Safe to call twice."""
    GPT.objects.filter(pk=gpt.pk).update(deleted_at=None)


def purge(now: datetime, first: Callable[[GPT], None]) -> int:
    """Erase the GPTs that were deleted more than KEPT_DAYS ago, with their picture files; gives their number.

    `first` is called with each, in its transaction: there a higher layer erases what it has of the GPT.
    """
    over = GPT.objects.filter(deleted_at__lt=now - timedelta(days=KEPT_DAYS))
    return sum(_erase(gpt_id, now, first) for gpt_id in over.values_list("pk", flat=True))


def _erase(gpt_id: str, now: datetime, first: Callable[[GPT], None]) -> bool:
    """Whether it was still there to erase: it may have been brought back a moment ago."""
    with transaction.atomic():
        over = GPT.objects.select_for_update().filter(deleted_at__lt=now - timedelta(days=KEPT_DAYS))
        gpt = over.filter(pk=gpt_id).first()
        if gpt is None:
            return False
        files = list(gpt.pictures.values_list("file", flat=True))
        first(gpt)
        gpt.delete()
        transaction.on_commit(lambda: _remove(files))
    return True


def _remove(files: list[str]) -> None:
    for file in files:
        default_storage.delete(file)
