"""What an embedding model answers is believed only when it is what was asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from gptbuilder.gateway import embeddings
from gptbuilder.gateway.embeddings import EmbeddingModel
from gptbuilder.gateway.errors import Garbage, RateLimited, Refused, Unreachable
from gptbuilder.gateway.types import Provider
from tests.meaning import MeaningServer, Status


@pytest.fixture
def server() -> Iterator[MeaningServer]:
    with MeaningServer() as server:
        yield server


@pytest.fixture
def model(server: MeaningServer) -> EmbeddingModel:
    return EmbeddingModel("plain", Provider(server.url, "secret-key"))


def test_vectors_come_in_the_order_of_the_texts_and_are_of_length_one(model, server):
    one, two = embeddings.embed(model, ["cheap car", "inexpensive automobile"], "passage")

    assert one == two
    assert math.hypot(*one) == pytest.approx(1)
    assert embeddings.embed(model, ["doctor", "car"], "passage")[0] != one
    assert server.keys[0] == "Bearer secret-key"


@pytest.mark.parametrize(
    ("name", "query", "passage"),
    [
        ("multilingual-e5-small", "query: x", "passage: x"),
        ("intfloat/e5-large-v2", "query: x", "passage: x"),
        ("BAAI/bge-large-zh-v1.5", "为这个句子生成表示以用于检索相关文章：x", "x"),
        ("text-embedding-3-small", "x", "x"),
        ("bge-m3", "x", "x"),
    ],
)
def test_a_model_is_told_what_a_text_is_in_the_words_it_was_trained_with(model, server, name, query, passage):
    named = EmbeddingModel(name, model.provider)

    embeddings.embed(named, ["x"], "query")
    embeddings.embed(named, ["x"], "passage")

    assert server.texts == [query, passage]


def test_dimensions_are_asked_for_and_checked(server):
    model = EmbeddingModel("plain", Provider(server.url, ""), dimensions=32)

    with pytest.raises(Garbage, match="32 and 64 dimensions"):
        embeddings.embed(model, ["x"], "query")

    assert server.requests[0]["dimensions"] == 32


GOOD = [0.6, 0.8]
CROOKED = {
    "no list": {"data": "x"},
    "nothing": {},
    "too few": {"data": [{"index": 0, "embedding": GOOD}]},
    "twice the same place": {"data": [{"index": 0, "embedding": GOOD}, {"index": 0, "embedding": GOOD}]},
    "a place that is not there": {"data": [{"index": 0, "embedding": GOOD}, {"index": 2, "embedding": GOOD}]},
    "true is no place": {"data": [{"index": True, "embedding": GOOD}, {"index": 0, "embedding": GOOD}]},
    "items that are no objects": {"data": [GOOD, GOOD]},
    "two sizes": {"data": [{"index": 0, "embedding": GOOD}, {"index": 1, "embedding": [1.0]}]},
    "words": {"data": [{"index": 0, "embedding": GOOD}, {"index": 1, "embedding": ["a", "b"]}]},
    "zero": {"data": [{"index": 0, "embedding": GOOD}, {"index": 1, "embedding": [0.0, 0.0]}]},
    "empty": {"data": [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}]},
    "too long": {"data": [{"index": at, "embedding": [1.0] * 4001} for at in range(2)]},
    "no number": b'{"data": [{"index": 0, "embedding": [NaN, 1]}, {"index": 1, "embedding": [1, 1]}]}',
    "endless": b'{"data": [{"index": 0, "embedding": [Infinity, 1]}, {"index": 1, "embedding": [1, 1]}]}',
    "huge": b'{"data": [{"index": 0, "embedding": [1' + b"0" * 400 + b', 1]}, {"index": 1, "embedding": [1, 1]}]}',
    "no JSON": b"<html>",
}


@pytest.mark.parametrize("body", CROOKED.values(), ids=CROOKED)
def test_a_crooked_answer_is_refused(model, server, body):
    server.answers.append(Status(200, body))

    with pytest.raises(Garbage):
        embeddings.embed(model, ["a", "b"], "passage")


def test_a_busy_endpoint_is_asked_again_when_it_said(model, server):
    server.answers += [Status(429, {"error": "slow down"}, {"Retry-After": "0"}), Status(503, "later")]

    assert len(embeddings.embed(model, ["x"], "query")) == 1
    assert len(server.requests) == 3


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (500, Unreachable), (401, Refused), (400, Refused)])
def test_what_goes_wrong_for_good_is_told(server, status, error):
    server.answers += [Status(status, {"error": {"message": "secret-key no"}}, {"Retry-After": "0"})] * 3

    with pytest.raises(error) as raised:
        embeddings.embed(EmbeddingModel("plain", Provider(server.url, "secret-key")), ["x"], "query")

    assert "secret-key" not in str(raised.value)
