"""The language model that runs use: one entry, from the environment."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from gptbuilder.embedded.model_status import read_status
from gptbuilder.gateway.types import ModelEntry, Provider


def entry() -> ModelEntry:
    """The model of this installation and what it can do."""
    return ModelEntry(
        name=settings.OPENAI_MODEL,
        provider=Provider(
            base_url=settings.OPENAI_BASE_URL,
            api_key=settings.OPENAI_API_KEY,
            first_token_timeout_seconds=settings.MODEL_FIRST_TOKEN_TIMEOUT_SECONDS,
            idle_timeout_seconds=settings.MODEL_IDLE_TIMEOUT_SECONDS,
        ),
        context_window=settings.MODEL_CONTEXT_WINDOW,
        input_price_micros=settings.MODEL_INPUT_PRICE_MICROS,
        output_price_micros=settings.MODEL_OUTPUT_PRICE_MICROS,
        tools=settings.MODEL_TOOLS,
        json_schema=settings.MODEL_JSON_SCHEMA,
        vision=settings.MODEL_VISION,
        is_demonstration=settings.LOCAL_MODEL,
        max_output_tokens=settings.MODEL_MAX_OUTPUT_TOKENS,
    )


def is_loading(entry: ModelEntry) -> bool:
    """Whether this is the local model and it is still being fetched or loaded: worth waiting for."""
    if not (entry.is_demonstration and settings.MODEL_STATUS_FILE):
        return False
    return read_status(Path(settings.MODEL_STATUS_FILE))["state"] not in ("ready", "failed")
