"""The figures of retrieval, by examples reckoned by hand."""

from __future__ import annotations

import pytest

from gptbuilder.knowledge import measuring

RELEVANT = {"a": 2, "b": 1, "never": 0}


def test_ndcg_is_one_for_the_best_order_and_less_for_any_other():
    assert measuring.ndcg(["a", "b", "x"], RELEVANT) == pytest.approx(1)
    # (1/log2(2) + 2/log2(4)) / (2/log2(2) + 1/log2(3))
    assert measuring.ndcg(["b", "x", "a"], RELEVANT) == pytest.approx(2 / 2.6309, abs=1e-4)
    assert measuring.ndcg(["x"] * 10 + ["a"], RELEVANT) == 0


def test_recall_counts_what_is_relevant_within_the_depth():
    assert measuring.recall(["a", "x", "b"], RELEVANT, 2) == 0.5
    assert measuring.recall(["a", "x", "b"], RELEVANT, 3) == 1
    assert measuring.recall([], {"never": 0}, 3) == 0


def test_the_reciprocal_rank_is_of_the_first_relevant_one():
    assert measuring.reciprocal_rank(["x", "b", "a"], RELEVANT) == 0.5
    assert measuring.reciprocal_rank(["never"], RELEVANT) == 0


def test_a_percentile_is_a_value_that_was_measured():
    assert measuring.percentile([5, 1, 3, 2, 4], 0.5) == 3
    assert measuring.percentile([5, 1, 3, 2, 4], 0.95) == 5
    assert measuring.percentile([], 0.5) == 0
