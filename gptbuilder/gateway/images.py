"""Asks an image model for a picture."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from gptbuilder.gateway._http import fetch_json
from gptbuilder.gateway.errors import Garbage, Refused
from gptbuilder.gateway.network import run_coroutine
from gptbuilder.gateway.types import Provider

GENERATION_SECONDS = 180
MAX_ANSWER_BYTES = 40_000_000


def generate(provider: Provider, model: str, prompt: str, size: str = "1024x1024") -> bytes:
    """The bytes of one picture, in whatever format the model draws; not looked into. Raises GatewayError.

    An answer by address is refused as Garbage: we fetch nothing that an upstream names.
    """
    body = {"model": model, "prompt": prompt, "size": size, "n": 1, "response_format": "b64_json"}
    try:
        answer = _ask(provider, body)
    except Refused as refusal:
        if "response_format" not in refusal.message:
            raise
        # Newer models always answer in base64 and refuse to be told so.
        del body["response_format"]
        answer = _ask(provider, body)
    try:
        return base64.b64decode(answer["data"][0]["b64_json"], validate=True)
    except (KeyError, IndexError, TypeError, binascii.Error):
        raise Garbage("The answer holds no picture in base64.") from None


def _ask(provider: Provider, body: dict[str, Any]) -> dict[str, Any]:
    return run_coroutine(
        fetch_json(
            provider,
            "POST",
            "/images/generations",
            body,
            timeout_seconds=GENERATION_SECONDS,
            max_bytes=MAX_ANSWER_BYTES,
        )
    ).result()
