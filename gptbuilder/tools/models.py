"""The language model that runs use: what the administrator connected, else what the environment says."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from gptbuilder.embedded.model_status import read_status
from gptbuilder.gateway.types import ModelEntry
from gptbuilder.gpts.models import Configuration
from gptbuilder.providers import entries


def entry() -> ModelEntry:
    """The default model of this installation and what it can do. At most one query."""
    return entries.default_entry()


def entry_of(configuration: Configuration) -> ModelEntry:
    """The model this GPT recommends while it is offered, else the default. At most one query."""
    return entries.entry_for(configuration.model) if configuration.model else entries.default_entry()


def is_loading(entry: ModelEntry) -> bool:
    """Whether this is the local model and it is still being fetched or loaded: worth waiting for."""
    if not (entry.is_demonstration and settings.MODEL_STATUS_FILE):
        return False
    return read_status(Path(settings.MODEL_STATUS_FILE))["state"] not in ("ready", "failed")
