"""A conversation that anyone with the link may read."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from gptbuilder.accounts.models import User
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts.models import GPTVersion
from gptbuilder.lib.ids import new_token


class ShareQuerySet(models.QuerySet["Share"]):
    def of(self, person: User | None) -> ShareQuerySet:
        """The shares this person made of threads they still have. Newest first."""
        return self.filter(thread__in=Thread.objects.of(person)).order_by("-shared_at")

    def readable(self) -> ShareQuerySet:
        """What a link may show: the thread is there, and still belongs to an account that may sign in."""
        return self.filter(thread__deleted_at=None, thread__owner__is_active=True)


class Share(models.Model):
    """The read-only view of a thread, up to `end` and under the title of that moment.

    Messages never change, so `end` freezes the conversation; what is said later is not shown until the person
    shares it again. `version` is the GPT as it answered last. Ending a share deletes the row: the next one has
    another token.
    """

    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    thread = models.OneToOneField(Thread, on_delete=models.CASCADE, related_name="share")
    end = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    version = models.ForeignKey(GPTVersion, on_delete=models.SET_NULL, null=True, related_name="+")
    title = models.CharField(max_length=120, blank=True)
    names_owner = models.BooleanField(default=False)
    shared_at = models.DateTimeField(default=timezone.now)

    objects = ShareQuerySet.as_manager()

    def __str__(self) -> str:
        return f"share of {self.thread_id}"

    @property
    def is_behind(self) -> bool:
        """The thread goes on after what is shown. Expects the thread to be fetched."""
        return self.end_id != self.thread.head_id
