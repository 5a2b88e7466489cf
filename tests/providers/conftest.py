"""An installation that can seal, and a scripted endpoint that can do everything."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from gptbuilder.providers import editing
from gptbuilder.providers.models import Provider
from gptbuilder.providers.trials import COLOURS
from tests.upstream import Call, Json, Reply, ScriptedUpstream, Text, ToolCalls

KEY = "sk-canary-5d1e"


@pytest.fixture(autouse=True)
def sealing_keys(settings) -> None:
    settings.FIELD_KEYS = [f"1:{'ab' * 32}"]


@pytest.fixture
def endpoint() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as server:
        server.models = ["vast", "quick", "quick"]
        server.default = able
        yield server


@pytest.fixture
def provider(db, endpoint) -> Provider:
    """Connected to the scripted endpoint, with the model “quick”."""
    return connected("Alpha", endpoint.url, "quick")


def connected(name: str, address: str, *models: str) -> Provider:
    made = Provider(name=name, base_url=address)
    made.seal_key(KEY)
    editing.save(made)
    editing.add_models(made, models)
    return made


def able(request: dict[str, Any]) -> Reply:
    """A model that calls tools, keeps to schemas and sees."""
    if "response_format" in request:
        return Json({"colour": "green", "letters": 5})
    if request["messages"][-1]["role"] == "tool":
        return Text("It is 37 degrees in the cellar.")
    if "tools" in request:
        return ToolCalls([Call("read_thermometer", {"room": "cellar"})])
    content = request["messages"][-1]["content"]
    return Text(_seen(content) if isinstance(content, list) else "Hello there.")


def unable(request: dict[str, Any]) -> Reply:
    """A model that only talks."""
    return Text("Hello there.")


def _seen(content: list[dict[str, Any]]) -> str:
    address = next(part["image_url"]["url"] for part in content if part["type"] == "image_url")
    picture = Image.open(BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB")
    names = {colour: name for name, colour in COLOURS.items()}
    left, right = picture.getpixel((1, 1)), picture.getpixel((picture.width - 2, 1))
    return json.dumps([names[left], names[right]])
