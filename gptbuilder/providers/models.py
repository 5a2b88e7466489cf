"""Provider, ProviderModel, ConnectionCheck, Checklist."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gptbuilder.gateway import types
from gptbuilder.lib import sealing
from gptbuilder.lib.ids import new_id

KEPT_AFTER_DELETION = timedelta(days=1)


def new_provider_id() -> str:
    return new_id("prov")


class ProviderQuerySet(models.QuerySet["Provider"]):
    def present(self) -> ProviderQuerySet:
        """Those that are not deleted, the default first, then the oldest."""
        return self.filter(deleted_at=None).order_by("-is_default", "created_at", "pk")

    def deleted(self, now: datetime) -> ProviderQuerySet:
        """Those whose deletion can still be undone."""
        return self.filter(deleted_at__gt=now - KEPT_AFTER_DELETION)


class Provider(models.Model):
    """An endpoint of the OpenAI protocol that an administrator connected. Its key is sealed for this row alone.

    `listed_models` are the names it told last; those taken over have a ProviderModel.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_provider_id, editable=False)
    name = models.CharField(_("Name"), max_length=80)
    base_url = models.CharField(_("Address"), max_length=500)
    sealed_key = models.TextField(blank=True, editable=False)
    is_default = models.BooleanField(default=False, editable=False)
    is_enabled = models.BooleanField(_("In use"), default=True)
    first_token_timeout_seconds = models.PositiveIntegerField(
        _("Longest wait for the first word"), default=120, validators=[MinValueValidator(1), MaxValueValidator(3600)]
    )
    idle_timeout_seconds = models.PositiveIntegerField(
        _("Longest silence after that"), default=60, validators=[MinValueValidator(1), MaxValueValidator(3600)]
    )
    listed_models = models.JSONField(default=list, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True, deleted_at=None), name="one_default_provider"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc

    @property
    def has_key(self) -> bool:
        return bool(self.sealed_key)

    @property
    def has_readable_key(self) -> bool:
        try:
            self.open_key()
        except sealing.SealingError:
            return False
        return True

    def seal_key(self, key: str) -> None:
        """Keep this key, or none when it is empty; not saved yet. Raises SealingError."""
        self.sealed_key = sealing.seal(key, self._identity(), settings.FIELD_KEYS) if key else ""

    def open_key(self) -> str:
        """The key, or nothing when the endpoint needs none. Raises SealingError."""
        return sealing.open_sealed(self.sealed_key, self._identity(), settings.FIELD_KEYS) if self.sealed_key else ""

    def _identity(self) -> str:
        return sealing.row_identity("providers.Provider", self.pk, "sealed_key")


class ProviderModel(models.Model):
    """A model of a provider that people's GPTs may use. Prices are micro-units per million tokens, sizes tokens.

    What it can do is what a check measured last, or what an administrator said since.
    """

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="models")
    name = models.CharField(max_length=200)
    label = models.CharField(_("Shown as"), max_length=80, blank=True)
    context_window = models.PositiveIntegerField(
        _("Context window"), default=128_000, validators=[MinValueValidator(1024), MaxValueValidator(100_000_000)]
    )
    max_output_tokens = models.PositiveIntegerField(
        _("Longest answer"), null=True, default=8192, validators=[MinValueValidator(16)]
    )
    input_price_micros = models.PositiveBigIntegerField(default=0)
    output_price_micros = models.PositiveBigIntegerField(default=0)
    tools = models.BooleanField(_("Calls tools"), default=True)
    json_schema = models.BooleanField(_("Keeps to a JSON schema"), default=True)
    vision = models.BooleanField(_("Sees pictures"), default=False)
    is_default = models.BooleanField(default=False, editable=False)
    is_enabled = models.BooleanField(_("In use"), default=True)
    checked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-is_default", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "name"], name="one_row_per_model"),
            models.UniqueConstraint(
                fields=["provider"], condition=Q(is_default=True), name="one_default_model_per_provider"
            ),
        ]

    def __str__(self) -> str:
        return self.label or self.name

    def entry(self, api_key: str, max_retries: int = 2) -> types.ModelEntry:
        """This model as the gateway knows it. `provider` must be loaded."""
        endpoint = types.Provider(
            base_url=self.provider.base_url,
            api_key=api_key,
            first_token_timeout_seconds=self.provider.first_token_timeout_seconds,
            idle_timeout_seconds=self.provider.idle_timeout_seconds,
            max_retries=max_retries,
        )
        return types.ModelEntry(
            name=self.name,
            provider=endpoint,
            context_window=self.context_window,
            input_price_micros=self.input_price_micros,
            output_price_micros=self.output_price_micros,
            tools=self.tools,
            json_schema=self.json_schema,
            vision=self.vision,
            max_output_tokens=self.max_output_tokens,
        )


class ConnectionCheck(models.Model):
    """One test of an endpoint: the provider's, or without one the environment's. Written step by step by a worker.

    `steps` maps each step's name to its outcome; `checking.Outcome` reads it. It never holds a key.
    """

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, null=True, related_name="checks")
    model_name = models.CharField(max_length=200, blank=True)
    steps = models.JSONField(default=dict)
    started_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["provider", "-id"])]

    def __str__(self) -> str:
        return f"{self.provider_id or 'environment'} {self.model_name}"


class Checklist(models.Model):
    """What the installation's administrators did with the list of first steps: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    is_dismissed = models.BooleanField(default=False)
    mail_sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_checklist")]

    def __str__(self) -> str:
        return str(_("Getting ready"))
