"""Allowances: what a workspace may use beyond the defaults of the settings."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from gptbuilder.workspaces.models import Workspace


class AllowanceQuerySet(models.QuerySet["Allowance"]):
    def in_force(self, now: datetime) -> AllowanceQuerySet:
        return self.filter(starts_at__lte=now).filter(models.Q(ends_at=None) | models.Q(ends_at__gt=now))


class Allowance(models.Model):
    """Written by higher layers (plans, an operator), read when a turn starts. The largest in force counts."""

    class Kind(models.TextChoices):
        MESSAGES_PER_HOUR = "messages_per_hour", _("messages per hour")

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="allowances")
    kind = models.CharField(max_length=40, choices=Kind)
    amount = models.PositiveBigIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=80, help_text=_("What it comes from, for the person who asks why."))

    objects = AllowanceQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "kind", "ends_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "source", "starts_at"], name="one_allowance_per_source"
            )
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.kind}"
