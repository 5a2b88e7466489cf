"""What a person thinks of an answer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from gptbuilder.conversations.models.message import Message


class Feedback(models.Model):
    """Thumbs up or down, one for each person and answer. For the operator alone, and without the conversation."""

    WORDS_LENGTH = 1000

    class Rating(models.TextChoices):
        UP = "up", _("good")
        DOWN = "down", _("bad")

    class Reason(models.TextChoices):
        WRONG = "wrong", _("It is not true")
        UNHELPFUL = "unhelpful", _("It does not help")
        IGNORED = "ignored", _("It did not do what I asked")
        STYLE = "style", _("Too long, too short or hard to read")
        HARMFUL = "harmful", _("It is offensive or dangerous")
        OTHER = "other", _("Something else")

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="feedback")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="feedback")
    rating = models.CharField(max_length=4, choices=Rating)
    reason = models.CharField(max_length=12, choices=Reason, blank=True)
    words = models.TextField(max_length=WORDS_LENGTH, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        constraints = [models.UniqueConstraint(fields=["message", "person"], name="one_feedback_per_person")]
        indexes = [models.Index(fields=["-updated_at"], name="latest_feedback")]

    def __str__(self) -> str:
        return f"{self.rating} {self.reason}".strip()

    @property
    def is_up(self) -> bool:
        return self.rating == self.Rating.UP

    @property
    def is_down(self) -> bool:
        return self.rating == self.Rating.DOWN
