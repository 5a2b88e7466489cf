"""Words are marked as the index compares them."""

from __future__ import annotations

import pytest

from gptbuilder.knowledge import marking, places
from gptbuilder.knowledge.marking import Piece
from tests.knowledge.conftest import read


def hits(pieces: list[Piece]) -> list[str]:
    return [piece.text for piece in pieces if piece.is_hit]


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        ("A hut, a Hut.", {"hut"}, ["hut", "Hut"]),
        ("ﬁnd it", {"find"}, ["ﬁnd"]),
        ("下雨天带孩子", {"雨天"}, ["雨天"]),
        ("下雨天", {"下雨", "雨天"}, ["下雨天"]),
        ("Café 9", {"café", "9"}, ["Café", "9"]),
        ("", {"a"}, []),
    ],
)
def test_pieces_are_the_text_and_mark_what_was_asked(text, asked, expected):
    pieces = marking.cut(text, asked.__contains__)

    assert "".join(piece.text for piece in pieces) == text
    assert hits(pieces) == expected


@pytest.mark.django_db(transaction=True)
def test_another_form_of_a_word_is_marked_too(ada):
    file = read(ada, "# Huts\n\nHuts opened late.")
    texts = [(file.content_id, "Huts opened late."), ("cont_unknown", "Huts")]

    assert [hits(pieces) for pieces in marking.marked(texts, "When does the hut open?")] == [["Huts", "opened"], []]


def test_a_place_is_said_in_words():
    assert places.place("page", 12, "") == "Page 12"
    assert places.place("slide", 3, "Prices") == "Slide 3: Prices"
    assert places.place("heading", 2, "Huts") == "Huts"
    assert places.place("part", None, "") == ""
