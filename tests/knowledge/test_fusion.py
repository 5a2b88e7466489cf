"""Two rankings become one without either drowning the other."""

from __future__ import annotations

import pytest

from gptbuilder.knowledge.fusion import MEANING, fused


def test_what_both_find_comes_first():
    joined = fused({1: 4.0, 2: 4.0}, 10.0, {1: 0.9, 3: 0.9, 4: 0.1}, {1: 0.9, 3: 0.9, 4: 0.1})

    assert max(joined, key=joined.get) == 1


def test_a_passage_with_every_word_beats_the_closest_one_that_has_none():
    joined = fused({1: 10.0}, 10.0, {2: 0.9, 3: 0.1, 1: 0.1}, {2: 0.9, 3: 0.1})

    assert joined[1] > joined[2]


def test_a_few_common_words_do_not_beat_meaning():
    joined = fused({1: 1.0}, 10.0, {2: 0.9, 3: 0.1, 1: 0.1}, {2: 0.9, 3: 0.1})

    assert joined[2] > joined[1]


def test_the_scale_of_a_model_makes_no_difference():
    narrow = fused({1: 3.0}, 10.0, {1: 0.80, 2: 0.85, 3: 0.75}, {2: 0.85, 3: 0.75})
    wide = fused({1: 3.0}, 10.0, {1: 0.5, 2: 1.0, 3: 0.0}, {2: 1.0, 3: 0.0})

    assert narrow == pytest.approx(wide)


def test_words_alone_and_meaning_alone_keep_their_order():
    assert fused({1: 5.0, 2: 2.5}, 10.0, {}, {}) == {1: 0.5, 2: 0.25}
    alone = fused({}, 0.0, {1: 0.9, 2: 0.5, 3: 0.1}, {1: 0.9, 2: 0.5, 3: 0.1})
    assert alone == pytest.approx({1: 1.0, 2: 0.5, 3: 0.0})


def test_a_single_candidate_is_no_reason_to_divide_by_nothing():
    assert fused({}, 0.0, {1: 0.4}, {1: 0.4}) == {1: 0.0}
    assert 0 < MEANING < 1


def test_what_is_farther_than_every_candidate_is_not_punished_for_it():
    joined = fused({1: 5.0}, 10.0, {1: -0.5, 2: 0.9, 3: 0.1}, {2: 0.9, 3: 0.1})

    assert joined[1] == pytest.approx((1 - MEANING) * 0.5)
