"""One thing a run did."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from gptbuilder.conversations import arguments
from gptbuilder.conversations.arguments import Value
from gptbuilder.conversations.models.run import Run
from gptbuilder.lib.ids import new_id
from gptbuilder.web.ready import Ready


def new_step_id() -> str:
    return new_id("step")


class RunStepQuerySet(models.QuerySet["RunStep"]):
    def waiting(self) -> RunStepQuerySet:
        """The calls that the person has not answered yet."""
        return self.filter(finished_at=None, needs__isnull=False, decision="")


class RunStep(models.Model):
    """A message that the model wrote, or a call of one tool. Steps of one run are ordered by `position`.

    `data` is what a tool tells the page about its work, such as the changed fields of a draft. `needs` is what a call
    waits for, as its tool says it (agent.tool.NeedsInput), and `decision` what the person has answered.
    """

    class Kind(models.TextChoices):
        MESSAGE = "message_creation", _("message")
        TOOL = "tool_calls", _("tool call")

    class Status(models.TextChoices):
        IN_PROGRESS = "in_progress", _("in progress")
        COMPLETED = "completed", _("completed")
        FAILED = "failed", _("failed")

    class Decision(models.TextChoices):
        ALLOWED = "allowed", _("allowed once")
        ALWAYS = "always", _("always allowed")
        DECLINED = "declined", _("declined")

    id = models.CharField(primary_key=True, max_length=40, default=new_step_id, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=Kind)
    status = models.CharField(max_length=20, choices=Status, default=Status.IN_PROGRESS)
    attempt = models.PositiveSmallIntegerField()
    text = models.TextField(blank=True)
    call_id = models.CharField(max_length=120, blank=True)
    tool = models.CharField(max_length=80, blank=True)
    arguments = models.TextField(blank=True)
    output = models.TextField(blank=True)
    data = models.JSONField(null=True)
    needs = models.JSONField(null=True)
    decision = models.CharField(max_length=10, choices=Decision, blank=True, default="", db_default="")
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = RunStepQuerySet.as_manager()

    class Meta:
        ordering = ["run", "position"]
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="one_step_per_position")]

    @property
    def is_waiting(self) -> bool:
        return self.finished_at is None and self.needs is not None and not self.decision

    @property
    def values(self) -> list[Value]:
        """The arguments as a person reads them."""
        return arguments.values(self.arguments)

    def __str__(self) -> str:
        return f"{self.kind} {self.position} of {self.run_id}"


STEPS = Ready(lambda run_id: RunStep.objects.filter(run=run_id), str)
