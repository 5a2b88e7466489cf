"""One utterance of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts.models import User
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.lib.ids import new_id

if TYPE_CHECKING:
    from gptbuilder.conversations.models.attachment import Attachment
    from gptbuilder.conversations.models.feedback import Feedback
    from gptbuilder.conversations.models.thread_file import ThreadFile


def new_message_id() -> str:
    return new_id("msg")


@dataclass(frozen=True)
class Place:
    """One of several messages that were said in the same place, oldest first. An id is empty for an answer that is
    none: its run has failed. `anchor` names the place in a page, whichever of them is shown."""

    ids: tuple[str, ...]
    at: int
    anchor: str

    @property
    def number(self) -> int:
        return self.at + 1

    @property
    def total(self) -> int:
        return len(self.ids)

    @property
    def earlier(self) -> str:
        return self.ids[self.at - 1] if self.at else ""

    @property
    def later(self) -> str:
        return self.ids[self.at + 1] if self.number < self.total else ""


class MessageQuerySet(models.QuerySet["Message"]):
    def of(self, person: User | None) -> MessageQuerySet:
        """The messages this person may see: those of their own threads."""
        return self.filter(thread__in=Thread.objects.of(person)) if person else self.none()


class Message(models.Model):
    """What the person said, or what a run answered. Never changed once complete; an edit is a sibling.

    `html` is the answer rendered once, when it was complete. The table's column `lexemes`, made by the database
    from the text, is no field here: only searching.py asks for it.
    """

    class Role(models.TextChoices):
        USER = "user", _("person")
        ASSISTANT = "assistant", _("GPT")

    id = models.CharField(primary_key=True, max_length=40, default=new_message_id, editable=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="children")
    role = models.CharField(max_length=10, choices=Role)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    run = models.OneToOneField("Run", on_delete=models.SET_NULL, null=True, related_name="answer")
    created_at = models.DateTimeField(auto_now_add=True)

    # What a page shows with it and no column holds; faces.furnish and Thread.path set them.
    place: Place | None = None
    images: Sequence[Attachment] = ()
    given: Sequence[ThreadFile] = ()
    opinion: Feedback | None = None

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_mine(self) -> bool:
        return self.role == self.Role.USER

    def stand_among(self, ids: Sequence[str]) -> None:
        """Set its place among these, all of one parent."""
        self.place = Place(tuple(ids), list(ids).index(self.pk), self.parent_id or self.thread_id)
