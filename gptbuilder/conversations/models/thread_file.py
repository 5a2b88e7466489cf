"""A file that a person gave with a message: the conversation's own knowledge."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts.models import User
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.queued import QueuedMessage
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.knowledge import outcomes
from gptbuilder.knowledge.models import Content, KnowledgeFile
from gptbuilder.lib.ids import new_id

State = Content.State
ERASED = _("The file was erased.")


def new_thread_file_id() -> str:
    return new_id("tf")


class ThreadFileQuerySet(models.QuerySet["ThreadFile"]):
    def of(self, person: User | None) -> ThreadFileQuerySet:
        """The files this person may see: those of their threads, and their own that were not sent yet."""
        if person is None:
            return self.none()
        mine = Thread.objects.of(person)
        unsent = Q(person=person, message=None, queued=None, is_sent=False)
        return self.filter(Q(message__thread__in=mine) | Q(queued__thread__in=mine) | unsent)

    def unsent(self) -> ThreadFileQuerySet:
        return self.filter(message=None, queued=None, is_sent=False)

    def left(self) -> ThreadFileQuerySet:
        """Those whose message has gone."""
        return self.filter(message=None, queued=None, is_sent=True)


class ThreadFile(models.Model):
    """A knowledge file in a message, or in one that waits; until it is sent it belongs to who uploaded it.

    Several rows may name one file: the words of an edited message are new, its files are the same. A row outlives its
    message for a moment, so that the file can be erased when the last row goes. A message has at most `MOST`.
    """

    MOST = 10

    id = models.CharField(primary_key=True, max_length=40, default=new_thread_file_id, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="thread_files")
    file = models.ForeignKey(KnowledgeFile, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="files")
    queued = models.ForeignKey(QueuedMessage, on_delete=models.SET_NULL, null=True, related_name="files")
    is_sent = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ThreadFileQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["is_sent", "created_at"],
                condition=Q(message=None, queued=None),
                name="thread_files_nowhere",
            )
        ]
        constraints = [
            models.CheckConstraint(condition=Q(message=None) | Q(queued=None), name="thread_file_is_in_one_place")
        ]

    def __str__(self) -> str:
        return str(self.id)

    # Expect the file and its content to be fetched.

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def is_being_read(self) -> bool:
        content = self.file.content
        return content is not None and not content.is_searchable and content.state in (State.UPLOADED, State.READING)

    @property
    def problem(self) -> str:
        """Why the file cannot be searched, or nothing."""
        content = self.file.content
        if content is None:
            return str(ERASED)
        return outcomes.sentence(content.outcome) if content.state == State.FAILED else ""
