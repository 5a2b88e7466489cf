"""Changing providers and their models. Every change is in force here at once, elsewhere within entries.TTL_SECONDS."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from gptbuilder.providers import entries
from gptbuilder.providers.models import KEPT_AFTER_DELETION, Provider, ProviderModel

MODELS_MOST = 200


def save(row: Provider | ProviderModel) -> None:
    row.save()
    entries.forget()


def make_default(provider: Provider) -> None:
    """The models of this provider come first from now on."""
    with transaction.atomic():
        _locked()
        Provider.objects.filter(is_default=True).update(is_default=False)
        Provider.objects.filter(pk=provider.pk, deleted_at=None).update(is_default=True)
    entries.forget()


def make_default_model(model: ProviderModel) -> None:
    """The provider answers with this model when nothing else is said."""
    with transaction.atomic():
        list(Provider.objects.select_for_update().filter(pk=model.provider_id))
        ProviderModel.objects.filter(provider_id=model.provider_id, is_default=True).update(is_default=False)
        ProviderModel.objects.filter(pk=model.pk).update(is_default=True)
    entries.forget()


def add_models(provider: Provider, names: Iterable[str]) -> list[ProviderModel]:
    """Models of these names, those that are there already left alone. The provider's first one is its default."""
    wanted = [name.replace("\x00", "").strip()[:200] for name in names]
    with transaction.atomic():
        list(Provider.objects.select_for_update().filter(pk=provider.pk))
        present = set(provider.models.values_list("name", flat=True))
        fresh = [name for name in dict.fromkeys(wanted) if name and name not in present]
        added = [
            ProviderModel.objects.create(provider=provider, name=name, is_default=not present and number == 0)
            for number, name in enumerate(fresh[: max(0, MODELS_MOST - len(present))])
        ]
    entries.forget()
    return added


def remove_model(model: ProviderModel) -> None:
    """GPTs that recommend it use the default from now on."""
    model.delete()
    entries.forget()


def delete(provider: Provider, now: datetime) -> None:
    """Out of use at once, gone for good a day later. Deleting twice changes nothing."""
    Provider.objects.filter(pk=provider.pk, deleted_at=None).update(deleted_at=now)
    entries.forget()


def restore(provider: Provider) -> None:
    """Undo a deletion. It is the default again unless another became it meanwhile."""
    with transaction.atomic():
        _locked()
        taken = Provider.objects.filter(is_default=True, deleted_at=None).exists()
        Provider.objects.filter(pk=provider.pk).update(
            deleted_at=None, **({"is_default": False} if taken and provider.deleted_at else {})
        )
    entries.forget()


def purge(now: datetime) -> int:
    """Delete for good, keys and all, what was deleted more than a day ago; gives the number of providers."""
    old = Provider.objects.filter(deleted_at__lte=now - KEPT_AFTER_DELETION)
    count = len(old)
    old.delete()
    return count


def _locked() -> None:
    """Two administrators who choose a default at once do so one after the other."""
    list(Provider.objects.select_for_update().order_by("pk"))
