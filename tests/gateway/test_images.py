"""Pictures from a real loopback server."""

from __future__ import annotations

import pytest

from gptbuilder.gateway import images
from gptbuilder.gateway.errors import Garbage, Refused
from gptbuilder.gateway.types import Provider
from tests.upstream import ScriptedUpstream, png


def test_a_picture_is_its_bytes(upstream: ScriptedUpstream, provider: Provider) -> None:
    assert images.generate(provider, "painter", "A red bicycle") == png()


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [{"url": "http://169.254.169.254/secret"}]},
        {"data": []},
        {"data": [{"b64_json": "not base64!"}]},
        {"created": 1},
    ],
)
def test_an_answer_without_a_picture_is_garbage(
    upstream: ScriptedUpstream, provider: Provider, answer: dict[str, object]
) -> None:
    upstream.image = answer

    with pytest.raises(Garbage):
        images.generate(provider, "painter", "A red bicycle")
    assert upstream.paths == ["POST /v1/images/generations"]


def test_a_refused_picture_is_refused(upstream: ScriptedUpstream, provider: Provider) -> None:
    upstream.statuses["/v1/images/generations"] = 400

    with pytest.raises(Refused):
        images.generate(provider, "painter", "A red bicycle")
