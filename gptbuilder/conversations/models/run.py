"""One answer being made."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts.models import User
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts.models import GPTVersion
from gptbuilder.lib.ids import new_id


def new_run_id() -> str:
    return new_id("run")


class RunQuerySet(models.QuerySet["Run"]):
    def of(self, person: User | None) -> RunQuerySet:
        """The runs this person may see: those of their own threads."""
        return self.filter(thread__owner=person, thread__deleted_at=None) if person else self.none()

    def active(self) -> RunQuerySet:
        return self.filter(status__in=Run.ACTIVE)

    def held(self, run_id: str, attempt: int) -> RunQuerySet:
        """The run, if this attempt still holds it: what every write of a worker goes through."""
        return self.filter(pk=run_id, attempt=attempt, status__in=[Run.Status.IN_PROGRESS, Run.Status.CANCELLING])


class Run(models.Model):
    """From a question to its answer. A worker claims it by raising `attempt`; only that attempt may write.

    A run that needs somebody's yes pauses: `paused_attempt` was the last one that ended so, and no worker holds the run
    until it is queued again (deciding.py). The answer is an ordinary message, written when the run ends; what was said
    until a stop or a failure is kept.
    `has_files` is false when whoever read the run has seen that its thread has none.
    """

    has_files = True

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting")
        IN_PROGRESS = "in_progress", _("answering")
        REQUIRES_ACTION = "requires_action", _("asks you")
        CANCELLING = "cancelling", _("stopping")
        CANCELLED = "cancelled", _("stopped")
        FAILED = "failed", _("failed")
        COMPLETED = "completed", _("completed")
        INCOMPLETE = "incomplete", _("incomplete")
        EXPIRED = "expired", _("expired")

    ACTIVE = (Status.QUEUED, Status.IN_PROGRESS, Status.REQUIRES_ACTION, Status.CANCELLING)

    id = models.CharField(primary_key=True, max_length=40, default=new_run_id, editable=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="runs")
    version = models.ForeignKey(GPTVersion, on_delete=models.SET_NULL, null=True, related_name="runs")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="runs")
    question = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="asked_runs")
    status = models.CharField(max_length=20, choices=Status, default=Status.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_detail = models.TextField(blank=True)
    model = models.CharField(max_length=120, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    paused_attempt = models.PositiveSmallIntegerField(default=0, db_default=0)
    paused_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    first_token_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["thread"],
                condition=Q(status__in=["queued", "in_progress", "requires_action", "cancelling"]),
                name="one_active_run_per_thread",
            )
        ]
        indexes = [
            models.Index(
                fields=["heartbeat_at", "created_at"],
                condition=Q(status__in=["queued", "in_progress", "cancelling"]),
                name="runs_to_watch",
            ),
            models.Index(fields=["finished_at"], name="runs_by_end"),
            models.Index(fields=["paused_at"], condition=Q(status="requires_action"), name="paused_runs"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE
