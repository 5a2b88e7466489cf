"""A conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts.models import User
from gptbuilder.gpts.models import GPT
from gptbuilder.lib.ids import new_id
from gptbuilder.web.ready import Ready
from gptbuilder.workspaces.models import Workspace

if TYPE_CHECKING:
    from gptbuilder.conversations.models.message import Message


def new_thread_id() -> str:
    return new_id("thread")


class ThreadQuerySet(models.QuerySet["Thread"]):
    def of(self, person: User | None) -> ThreadQuerySet:
        """The threads this person may see: their own, without the deleted ones."""
        return self.filter(owner=person, deleted_at=None) if person else self.none()

    def deleted_by(self, person: User | None) -> ThreadQuerySet:
        """The threads this person has deleted and may still bring back. Last deleted first."""
        return self.filter(owner=person).exclude(deleted_at=None).order_by("-deleted_at") if person else self.none()

    def chats(self) -> ThreadQuerySet:
        """Ordinary conversations: neither previews nor builder conversations. Newest first."""
        return self.filter(purpose=Thread.Purpose.CHAT).order_by("-updated_at")


class Thread(models.Model):
    """One conversation of one person with one GPT.

    `head` is the last message of the branch that is shown; following `parent` from it gives the conversation.
    `subject` is the GPT that a builder conversation is about (its `gpt` is then the builder). The table's column
    `lexemes`, made by the database from the title, is no field here: only searching.py asks for it. `has_...` is
    false when whoever read the thread has seen that there are none.
    """

    has_images = has_files = has_opinions = has_queued = True

    class Purpose(models.TextChoices):
        CHAT = "chat", _("chat")
        PREVIEW = "preview", _("preview")
        BUILDER = "builder", _("builder")

    id = models.CharField(primary_key=True, max_length=40, default=new_thread_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="threads")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="threads")
    gpt = models.ForeignKey(GPT, on_delete=models.SET_NULL, null=True, related_name="threads")
    subject = models.ForeignKey(GPT, on_delete=models.CASCADE, null=True, related_name="builder_threads")
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.CHAT)
    title = models.CharField(max_length=120, blank=True)
    head = models.ForeignKey("Message", on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    objects = ThreadQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "purpose", "-updated_at"]),
            models.Index(fields=["deleted_at"], condition=models.Q(deleted_at__isnull=False), name="deleted_threads"),
        ]

    def __str__(self) -> str:
        return self.title or str(self.id)

    def path(self, end_id: str | None = None) -> list[Message]:
        """The messages of the branch that ends here (by default the shown one), oldest first, each with its
        run, the run's steps and its place among its siblings. Two queries, three when there are runs."""
        messages = {message.pk: message for message in MESSAGES.rows(self.pk)}
        models.prefetch_related_objects([message.run for message in messages.values() if message.run], "steps")
        siblings: dict[str | None, list[str]] = {}
        for message in messages.values():
            message.thread = self
            siblings.setdefault(message.parent_id, []).append(message.pk)
        path: list[Message] = []
        at = end_id or self.head_id
        while at in messages:
            messages[at].stand_among(siblings[messages[at].parent_id])
            path.append(messages[at])
            at = messages[at].parent_id
        return path[::-1]


def _messages(thread_id: str) -> models.QuerySet[Message]:
    return Thread(pk=thread_id).messages.select_related("run__version")


MESSAGES = Ready(_messages, str)
