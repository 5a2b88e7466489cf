"""No more than so many words of a passage in a row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptbuilder.tools.quoting import CUT, Cutter, QuoteLimit

PASSAGE = "The refund is paid within fourteen days of the return, to the card that was used for the purchase."


def limit(words: int, *passages: str) -> QuoteLimit:
    found = QuoteLimit(words)
    for passage in passages:
        found.learn(passage)
    return found


def test_a_quotation_ends_at_the_last_word_allowed():
    cut = limit(4, PASSAGE).cut(f"It says: “{PASSAGE}” So be patient.")

    assert cut == f"It says: “The refund is paid {CUT}.” So be patient."


def test_a_quotation_of_just_so_many_words_stays():
    text = "As it says, the refund is paid quickly."

    assert limit(4, PASSAGE).cut(text) == text


def test_other_words_stay_however_many():
    text = "You get your money back on the same card, two weeks after you sent the thing back, at the latest."

    assert limit(4, PASSAGE).cut(text) == text


def test_capitals_markup_and_punctuation_hide_nothing():
    cut = limit(4, PASSAGE).cut("**THE** *refund*, is — paid\n\n- within `fourteen` days")

    assert "fourteen" not in cut and CUT in cut


def test_what_follows_a_quotation_is_there_again():
    cut = limit(3, PASSAGE).cut("The refund is paid within fourteen days and not a minute later.")

    assert cut == f"The refund is {CUT} and not a minute later."


def test_chinese_is_counted_by_its_characters():
    passage = "退款将在收到退货后的十四天内支付到原来使用的银行卡。"

    cut = limit(6, passage).cut("文件说：退款将在收到退货后的十四天内支付。请耐心等待。")

    assert cut == f"文件说：退款将在收到{CUT}。请耐心等待。"


def test_traditional_characters_are_the_same_words():
    assert CUT in limit(4, "退款将在收到退货后支付").cut("退款將在收到退貨後支付")


def test_the_same_words_in_two_passages_do_not_make_one_long_one():
    text = "one two three four five six"

    assert limit(3, "one two three", "four five six").cut(text) == text


@given(
    st.lists(st.sampled_from(["a", "b", "c ", " ", "，", "退", "款", "**", "\n", "."]), max_size=60), st.integers(1, 5)
)
def test_a_stream_is_cut_like_the_whole(pieces, words):
    known = limit(words, "a b c a b a a b c c", "退款款退款退a b")
    cutter = Cutter(known)

    streamed = "".join(cutter.feed(piece) for piece in pieces) + cutter.rest()

    assert streamed == known.cut("".join(pieces))


@given(st.text(alphabet="xyz \n*.，。退", max_size=200))
def test_a_text_that_quotes_nothing_is_not_touched(text):
    assert limit(1, PASSAGE).cut(text) == text


@pytest.mark.parametrize("words", [1, 3, 7])
def test_nothing_longer_than_the_limit_is_left(words):
    told = PASSAGE.lower().replace(",", "").rstrip(".").split()

    cut = limit(words, PASSAGE).cut(f"{PASSAGE} And again: {PASSAGE}")

    left = cut.lower().replace(",", "").replace(".", "").replace(CUT, " | ").split()
    runs = [left[at : at + words + 1] for at in range(len(left) - words)]
    assert not any(run in [told[at : at + words + 1] for at in range(len(told))] for run in runs if len(run) > words)
