"""An upstream and a model entry that points at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gptbuilder.gateway.types import ModelEntry, Provider
from tests.upstream import ScriptedUpstream

KEY = "sk-secret-key"


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as server:
        yield server


@pytest.fixture
def provider(upstream: ScriptedUpstream) -> Provider:
    return Provider(upstream.url, KEY)


@pytest.fixture
def entry(provider: Provider) -> ModelEntry:
    return ModelEntry("scripted", provider)


@pytest.fixture(autouse=True)
def empty_redis() -> None:
    """The kernel knows no Redis."""
