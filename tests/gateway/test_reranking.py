"""A reranking model's answer counts only when it is about every passage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gptbuilder.gateway import reranking
from gptbuilder.gateway.errors import Garbage
from gptbuilder.gateway.types import Provider
from tests.meaning import MeaningServer, Status


@pytest.fixture
def server() -> Iterator[MeaningServer]:
    with MeaningServer() as server:
        yield server


def ask(server: MeaningServer) -> list[float]:
    return reranking.rerank(Provider(server.url, "key"), "judge", "cheap car", ["a dear house", "a cheap car"])


def test_every_passage_gets_its_relevance(server):
    assert ask(server) == [0, 2]
    assert server.requests[0]["model"] == "judge"
    assert server.requests[0]["documents"] == ["a dear house", "a cheap car"]


@pytest.mark.parametrize(
    "results",
    [
        None,
        [],
        [{"index": 0, "relevance_score": 1}],
        [{"index": 0, "relevance_score": 1}, {"index": 5, "relevance_score": 1}],
        [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": "high"}],
        [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": 1}, {"index": 2, "relevance_score": 1}],
        ["x", "y"],
    ],
)
def test_a_crooked_answer_is_refused(server, results):
    server.answers.append(Status(200, {"results": results}))

    with pytest.raises(Garbage):
        ask(server)
