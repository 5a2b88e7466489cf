"""How well a search finds what people judged to be relevant (pure): the figures of the BEIR benchmark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

Relevance = Mapping[str, int]


def ndcg(ranking: Sequence[str], relevant: Relevance, depth: int = 10) -> float:
    """Järvelin and Kekäläinen's discounted gain, as trec_eval counts it: the gain is the grade."""
    gained = _discounted([relevant.get(name, 0) for name in ranking[:depth]])
    ideal = _discounted(sorted(relevant.values(), reverse=True)[:depth])
    return gained / ideal if ideal else 0.0


def recall(ranking: Sequence[str], relevant: Relevance, depth: int) -> float:
    wanted = {name for name, grade in relevant.items() if grade > 0}
    return len(wanted.intersection(ranking[:depth])) / len(wanted) if wanted else 0.0


def reciprocal_rank(ranking: Sequence[str], relevant: Relevance, depth: int = 10) -> float:
    return next((1 / rank for rank, name in enumerate(ranking[:depth], 1) if relevant.get(name, 0) > 0), 0.0)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)] if values else 0.0


def _discounted(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades, 1))
