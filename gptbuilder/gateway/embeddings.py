"""Asks an embedding model what texts mean, over the OpenAI protocol's `/embeddings`.

Models that want to know whether a text is looked for or looked at are told by a prefix. Answers are hostile: a vector
of the wrong length, of no numbers or of none at all is Garbage, so that nothing crooked reaches an index.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gptbuilder.gateway._http import fetch_json
from gptbuilder.gateway.errors import Garbage
from gptbuilder.gateway.network import run_coroutine
from gptbuilder.gateway.types import Provider

Purpose = Literal["query", "passage"]
Vector = tuple[float, ...]

DIMENSIONS_MOST = 4000
# A number is written with at most so many characters.
NUMBER_BYTES = 28
OVERHEAD_BYTES = 4096

# The words that families of models were trained with, by the beginning of their name behind its owner.
PREFIXES: tuple[tuple[str, str, str], ...] = (
    (r"(multilingual-)?e5-(small|base|large)(?!.*instruct)", "query: ", "passage: "),
    (r"nomic-embed-text", "search_query: ", "search_document: "),
    (r"snowflake-arctic-embed.*-v?2", "query: ", ""),
    (
        r"(snowflake-arctic-embed|mxbai-embed-large|bge-(small|base|large)-en)",
        "Represent this sentence for searching relevant passages: ",
        "",
    ),
    (r"bge-(small|base|large)-zh", "为这个句子生成表示以用于检索相关文章：", ""),
    (
        r"(qwen3-embedding|multilingual-e5-large-instruct|gte-qwen)",
        "Instruct: Given a question, retrieve passages that answer it\nQuery: ",
        "",
    ),
)


@dataclass(frozen=True)
class EmbeddingModel:
    """A model of a provider. `dimensions` is what it is asked to give, None to leave that to the model."""

    name: str
    provider: Provider
    dimensions: int | None = None

    def prefix(self, purpose: Purpose) -> str:
        name = self.name.rpartition("/")[2]
        for pattern, query, passage in PREFIXES:
            if re.match(pattern, name, re.IGNORECASE):
                return query if purpose == "query" else passage
        return ""


def embed(
    model: EmbeddingModel, texts: Sequence[str], purpose: Purpose, *, timeout_seconds: float = 120
) -> list[Vector]:
    """A vector of length one for each text, all of the same size. One exchange, retried. Raises GatewayError."""
    return begin(model, texts, purpose, timeout_seconds=timeout_seconds)()


def begin(
    model: EmbeddingModel, texts: Sequence[str], purpose: Purpose, *, timeout_seconds: float = 120
) -> Callable[[], list[Vector]]:
    """Ask at once, and wait for the answer when what is given back is called."""
    body: dict[str, Any] = {"model": model.name, "input": [model.prefix(purpose) + text for text in texts]}
    if model.dimensions:
        body["dimensions"] = model.dimensions
    asked = run_coroutine(
        fetch_json(
            model.provider,
            "POST",
            "/embeddings",
            body,
            timeout_seconds=timeout_seconds,
            max_bytes=OVERHEAD_BYTES + len(texts) * DIMENSIONS_MOST * NUMBER_BYTES,
        )
    )
    return lambda: _vectors(asked.result(), len(texts), model.dimensions)


def _vectors(answer: dict[str, Any], count: int, dimensions: int | None) -> list[Vector]:
    vectors = [_unit(numbers) for numbers in _in_order(answer.get("data"), count)]
    sizes = {len(vector) for vector in vectors} | ({dimensions} if dimensions else set())
    if len(sizes) > 1:
        raise Garbage(f"The vectors have {' and '.join(map(str, sorted(sizes)))} dimensions.")
    return vectors


def _in_order(data: Any, count: int) -> list[Any]:
    if not isinstance(data, list) or len(data) != count:
        raise Garbage("The answer does not hold one vector for each text.")
    found: list[Any] = [None] * count
    for position, item in enumerate(data):
        at = item.get("index", position) if isinstance(item, dict) else None
        if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at < count or found[at] is not None:
            raise Garbage("The answer does not say which vector is whose.")
        found[at] = item.get("embedding")
    return found


def _unit(numbers: Any) -> Vector:
    if not isinstance(numbers, list) or not 0 < len(numbers) <= DIMENSIONS_MOST:
        raise Garbage(f"A vector is no list of 1 to {DIMENSIONS_MOST} numbers.")
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
        raise Garbage("A vector holds something that is no number.")
    try:
        length = math.hypot(*numbers)
    except OverflowError:
        length = math.inf
    if not 0 < length < math.inf:
        raise Garbage("A vector has no direction.")
    return tuple(number / length for number in numbers)
