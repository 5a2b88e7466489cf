"""Asks a reranking model how well passages answer a question: `/rerank` as Cohere, Jina, vLLM and llama.cpp have it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gptbuilder.gateway._http import fetch_json
from gptbuilder.gateway.errors import Garbage
from gptbuilder.gateway.network import run_coroutine
from gptbuilder.gateway.types import Provider

ANSWER_BYTES = 2_000_000


def rerank(
    provider: Provider, model: str, query: str, passages: Sequence[str], *, timeout_seconds: float = 20
) -> list[float]:
    """The relevance of each passage, in their order; its scale is the model's. Raises GatewayError."""
    body = {
        "model": model,
        "query": query,
        "documents": list(passages),
        "top_n": len(passages),
        "return_documents": False,
    }
    answer = run_coroutine(
        fetch_json(provider, "POST", "/rerank", body, timeout_seconds=timeout_seconds, max_bytes=ANSWER_BYTES)
    ).result()
    return _scores(answer.get("results"), len(passages))


def _scores(results: Any, count: int) -> list[float]:
    scores: dict[int, float] = {}
    for result in results if isinstance(results, list) else []:
        match result:
            case {"index": int(at), "relevance_score": int() | float() as score} if math.isfinite(score):
                scores[at] = float(score)
    if scores.keys() != set(range(count)):
        raise Garbage("The answer does not hold one relevance for each passage.")
    return [scores[at] for at in range(count)]
