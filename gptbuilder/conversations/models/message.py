"""One utterance of a conversation."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from gptbuilder.conversations.models.thread import Thread
from gptbuilder.lib.ids import new_id


def new_message_id() -> str:
    return new_id("msg")


class Message(models.Model):
    """What the person said, or what a run answered. Never changed once complete; an edit is a sibling.

    `html` is the answer rendered once, when it was complete.
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

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_mine(self) -> bool:
        return self.role == self.Role.USER
