"""An image that a person gave with a message."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from gptbuilder.accounts.models import User
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.queued import QueuedMessage
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.lib.ids import new_id
from gptbuilder.workspaces.models import Workspace


def new_attachment_id() -> str:
    return new_id("att")


def file_name(attachment: Attachment, _name: str) -> str:
    """A folder for each day: what looks for files that nothing refers to looks at one day at a time."""
    return f"attachments/{timezone.now():%Y-%m-%d}/{attachment.pk}.jpg"


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def of(self, person: User | None) -> AttachmentQuerySet:
        """The images this person may see: those of their threads, and their own that were not sent yet."""
        if person is None:
            return self.none()
        mine = Thread.objects.of(person)
        return self.filter(
            Q(message__thread__in=mine) | Q(queued__thread__in=mine) | Q(person=person, message=None, queued=None)
        )

    def unsent(self) -> AttachmentQuerySet:
        return self.filter(message=None, queued=None)


class Attachment(models.Model):
    """A JPEG, made anew from what was uploaded. It belongs to who uploaded it until it is sent, then to the message.

    Several rows may name one file: the words of an edited message are new, its images are the same.
    A message has at most `MOST`.
    """

    MOST = 6

    id = models.CharField(primary_key=True, max_length=40, default=new_attachment_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="attachments")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="attachments")
    queued = models.ForeignKey(QueuedMessage, on_delete=models.CASCADE, null=True, related_name="attachments")
    file = models.FileField(upload_to=file_name, max_length=120)
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size_bytes = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(message=None, queued=None), name="unsent_attachments"),
            models.Index(fields=["file"], name="attachments_by_file"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(message=None) | Q(queued=None), name="attachment_is_in_one_place")
        ]

    def __str__(self) -> str:
        return str(self.id)
