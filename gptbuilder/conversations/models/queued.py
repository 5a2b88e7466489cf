"""A message that waits for the answer before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import models

from gptbuilder.accounts.models import User
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.lib.ids import new_id

if TYPE_CHECKING:
    from gptbuilder.conversations.models.attachment import Attachment
    from gptbuilder.conversations.models.thread_file import ThreadFile


def new_queued_id() -> str:
    return new_id("wait")


class QueuedMessageQuerySet(models.QuerySet["QueuedMessage"]):
    def of(self, person: User | None) -> QueuedMessageQuerySet:
        """What waits in this person's threads."""
        return self.filter(thread__in=Thread.objects.of(person)) if person else self.none()


class QueuedMessage(models.Model):
    """Text that the thread's owner has sent while an answer was being made. In the order of their ids they become
    turns, each in the transaction that ends the answer before it. At most `MOST` for a thread."""

    MOST = 5

    id = models.CharField(primary_key=True, max_length=40, default=new_queued_id, editable=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="queued")
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    # For a page; pages.waiting sets it.
    images: Sequence[Attachment] = ()
    given: Sequence[ThreadFile] = ()

    objects = QueuedMessageQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.id)
