"""Words of any language, as they are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptbuilder.lib.words import LETTERS_MOST, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The ﬁrst Café", ["the", "first", "café"]),
        ("ＡＢＣ １２", ["abc", "12"]),
        ("XR-2000, 3.5 %", ["xr", "2000", "3", "5"]),
        ("snake_case", ["snake", "case"]),
        ("下雨天", ["下雨", "雨天"]),
        ("我 hike 山", ["我", "hike", "山"]),
        ("iPhone手机壳", ["iphone", "手机", "机壳"]),
        ("ภาษาไทย", ["ภา", "าษ", "ษา", "าไ", "ไท", "ทย"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("…", []),
    ],
)
def test_text_becomes_words(text, expected):
    assert words(text) == expected


def test_traditional_and_simplified_chinese_are_the_same_words():
    assert words("臺灣大學發展") == words("台湾大学发展")
    assert words("頭髮") == words("头发")


def test_a_key_or_a_line_of_base64_is_cut():
    assert words("a" * 1000) == ["a" * LETTERS_MOST]


@given(st.text())
def test_no_text_breaks_it_and_no_word_is_empty_or_has_a_space(text):
    assert all(word and not any(letter.isspace() for letter in word) for word in words(text))
