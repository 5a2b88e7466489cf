"""The models that runs may use: those of the enabled providers; the environment's when there are none.

Asked with every run, so a process remembers the rows for TTL_SECONDS. An edit is seen at once by the process that
made it, and by all others within that time. The environment is read each time: tests and commands change it.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from django.conf import settings

from gptbuilder.gateway import types
from gptbuilder.gateway.types import ModelEntry
from gptbuilder.lib.sealing import SealingError
from gptbuilder.providers.models import Provider, ProviderModel
from gptbuilder.web.ready import Ready

log = logging.getLogger(__name__)

TTL_SECONDS = 4.0

ROWS = Ready(
    lambda: (
        ProviderModel.objects.filter(is_enabled=True, provider__is_enabled=True, provider__deleted_at=None)
        .select_related("provider")
        .order_by("-provider__is_default", "provider__created_at", "provider_id", "-is_default", "pk")
    )
)


@dataclass(frozen=True)
class Offer:
    """A model that may be chosen; `provider_id` is empty for the environment's."""

    entry: ModelEntry
    label: str
    provider_id: str = ""


@dataclass(frozen=True)
class _Remembered:
    offers: tuple[Offer, ...]
    until: float


def default_entry() -> ModelEntry:
    """The model that answers when nothing else is said. At most one query."""
    return offers()[0].entry


def entry_for(name: str) -> ModelEntry:
    """The enabled model of this name, or else the default. At most one query."""
    known = offers()
    return next((offer.entry for offer in known if offer.entry.name == name), known[0].entry)


def offers() -> tuple[Offer, ...]:
    """Every enabled model once, the default first; never empty. At most one query."""
    return _rows() or (environment(),)


def environment() -> Offer:
    """The model that the environment names."""
    endpoint = types.Provider(
        base_url=settings.OPENAI_BASE_URL,
        api_key=settings.OPENAI_API_KEY,
        first_token_timeout_seconds=settings.MODEL_FIRST_TOKEN_TIMEOUT_SECONDS,
        idle_timeout_seconds=settings.MODEL_IDLE_TIMEOUT_SECONDS,
    )
    entry = ModelEntry(
        name=settings.OPENAI_MODEL,
        provider=endpoint,
        context_window=settings.MODEL_CONTEXT_WINDOW,
        input_price_micros=settings.MODEL_INPUT_PRICE_MICROS,
        output_price_micros=settings.MODEL_OUTPUT_PRICE_MICROS,
        tools=settings.MODEL_TOOLS,
        json_schema=settings.MODEL_JSON_SCHEMA,
        vision=settings.MODEL_VISION,
        is_demonstration=settings.LOCAL_MODEL,
        max_output_tokens=settings.MODEL_MAX_OUTPUT_TOKENS,
    )
    return Offer(entry, settings.OPENAI_MODEL)


def forget() -> None:
    """Read the rows anew when next asked. Called after each edit, once it is committed."""
    global _remembered
    with _reading:
        _remembered = None


def key_of(provider: Provider) -> str:
    """The provider's key; nothing when it cannot be opened, so that the endpoint refuses us and pages say so.

    Falling back to another endpoint would send people's words where the administrator does not want them.
    """
    try:
        return provider.open_key()
    except SealingError as error:
        log.error("a provider's key cannot be opened", extra={"provider": provider.pk, "detail": str(error)})
        return ""


def _rows() -> tuple[Offer, ...]:
    global _remembered
    known = _remembered
    if known is not None and time.monotonic() < known.until:
        return known.offers
    with _reading:
        known = _remembered
        if known is None or time.monotonic() >= known.until:
            # The time is taken before the query: what is read may be that old.
            until = time.monotonic() + TTL_SECONDS
            known = _remembered = _Remembered(_read(), until)
        return known.offers


def _read() -> tuple[Offer, ...]:
    keys: dict[str, str] = {}
    found: dict[str, Offer] = {}
    for row in ROWS.rows():
        if row.provider_id not in keys:
            keys[row.provider_id] = key_of(row.provider)
        if row.name not in found:
            found[row.name] = Offer(row.entry(keys[row.provider_id]), str(row), row.provider_id)
    return tuple(found.values())


_remembered: _Remembered | None = None
_reading = threading.Lock()
