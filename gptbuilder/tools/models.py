"""The language model that runs use: one entry, from the environment."""

from __future__ import annotations

from django.conf import settings

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
