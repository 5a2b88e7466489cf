"""What the pages about models are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from gptbuilder.gateway.types import ModelEntry
from gptbuilder.providers import checking, entries, sentences
from gptbuilder.providers.forms import ProviderForm, ProviderModelForm
from gptbuilder.providers.models import ConnectionCheck, Provider, ProviderModel

ENVIRONMENT = "environment"


@dataclass(frozen=True)
class CheckPane:
    """The last check of an endpoint. `where` is the provider's id, or ENVIRONMENT."""

    where: str
    check: ConnectionCheck | None
    lines: list[sentences.Line]
    goes_on: bool
    is_silent: bool


@dataclass(frozen=True)
class Card:
    """A provider in the list. `answers` is None before it was tested with a model."""

    provider: Provider
    models: list[ProviderModel]
    is_default: bool
    has_readable_key: bool
    answers: bool | None

    @property
    def is_usable(self) -> bool:
        return self.provider.is_enabled and self.has_readable_key and any(model.is_enabled for model in self.models)


def present(provider_id: str) -> Provider:
    """The provider, or 404."""
    return get_object_or_404(Provider.objects.present(), pk=provider_id)


def listing() -> dict[str, Any]:
    """Every provider with its models; the environment's model beside them."""
    providers = Provider.objects.present().prefetch_related("models", "checks")
    first = entries.offers()[0].provider_id
    cards = [
        Card(
            provider=provider,
            models=[model for model in provider.models.all() if model.is_enabled],
            is_default=provider.pk == first,
            has_readable_key=provider.has_readable_key,
            answers=answers(max(provider.checks.all(), key=lambda check: check.pk, default=None)),
        )
        for provider in providers
    ]
    return {
        "cards": cards,
        "deleted": Provider.objects.deleted(timezone.now()).order_by("-deleted_at"),
        "environment": environment_model(),
        "environment_answers": not first,
        "pane": pane(None),
    }


def environment_model() -> ModelEntry:
    return entries.environment().entry


def answers(check: ConnectionCheck | None) -> bool | None:
    """Whether the last test of a model got an answer; None when there was none."""
    outcome = checking.outcomes(check).get("answer") if check else None
    failed_before = check is not None and check.finished_at is not None and bool(check.model_name)
    return outcome.state == "works" if outcome else (False if failed_before else None)


def page(provider: Provider, form: ProviderForm | None = None, **more: object) -> dict[str, Any]:
    """The page of one provider. `more` may hold `changed`, a model's form that was refused."""
    changed = more.pop("changed", None)
    models = list(provider.models.all())
    forms = [
        changed
        if isinstance(changed, ProviderModelForm) and changed.instance.pk == model.pk
        else ProviderModelForm(instance=model)
        for model in models
    ]
    return {
        "provider": provider,
        "form": form or ProviderForm(instance=provider),
        "model_forms": forms,
        "default_model": next((model.pk for model in models if model.is_enabled), None),
        "is_default": provider.pk == entries.offers()[0].provider_id,
        "has_readable_key": provider.has_readable_key,
        "pane": pane(provider),
        "offered": offered(provider, models),
        **more,
    }


def offered(provider: Provider, models: list[ProviderModel]) -> list[str]:
    """The models the endpoint has told of that are not taken over yet."""
    taken = {model.name for model in models}
    return [name for name in provider.listed_models if name not in taken]


def checked(provider: Provider) -> dict[str, Any]:
    """The last check; once it has ended, also what it learned. What a person may be ticking is left alone."""
    current = pane(provider)
    context: dict[str, Any] = {"provider": provider, "pane": current, "fresh": True, "has_listed": False, "models": ()}
    if not current.goes_on and current.check:
        context["models"] = list(provider.models.all())
        context["has_listed"] = not current.check.model_name
        context["offered"] = offered(provider, context["models"])
    return context


def pane(provider: Provider | None) -> CheckPane:
    check = checking.latest(provider)
    if check is None:
        return CheckPane(provider.pk if provider else ENVIRONMENT, None, [], False, False)
    now = timezone.now()
    silent = checking.is_silent(check, now)
    goes_on = check.finished_at is None and not silent
    return CheckPane(provider.pk if provider else ENVIRONMENT, check, sentences.lines(check, now), goes_on, silent)


def model_to_test(provider: Provider, request: HttpRequest) -> str:
    """The name of the model that was asked for, else of the provider's default."""
    wanted = request.POST.get("model", "")
    models = provider.models.filter(pk=wanted) if wanted.isdecimal() else provider.models.filter(is_enabled=True)
    model = models.first()
    return model.name if model else ""
