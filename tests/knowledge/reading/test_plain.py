"""Text, CSV, JSON, XML."""

from __future__ import annotations

import json

import pytest

from gptbuilder.knowledge.reading.plain import delimiter_of
from tests.knowledge.reading.samples import places, read, texts


def test_source_code_stays_as_it_is():
    code = "def duck():\n    return 1  # quack\n"

    answer = read(code.encode(), "duck.py")

    assert (texts(answer), places(answer)) == (code.rstrip("\n"), [("part", None, "")])


def test_markdown_is_cut_at_headings():
    assert places(read(b"# A\n\none\n\n## B\n\ntwo", "a.md")) == [("heading", None, "A"), ("heading", None, "A › B")]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b;c\n1,5;2,5;3,5\n4,5;5,5;6,5\n", ";"),
        ("a\tb\nx y, z\t2\n", "\t"),
        ("a|b|c\n1|2|3\n", "|"),
        ('name,note\nAda,"one; two; three"\nBen,"four; five"\n', ","),
        ("only\none\ncolumn\n", ","),
    ],
)
def test_the_delimiter_is_found(text: str, delimiter: str):
    assert delimiter_of(text) == delimiter


def test_csv_is_a_table_whatever_its_rows_lack():
    answer = read(b'Year,Ducks\r\n\r\n2019,"1,200"\r\n2020\r\n', "a.csv")

    assert (texts(answer), places(answer)) == (
        "| Year | Ducks |\n| --- | --- |\n| 2019 | 1,200 |\n| 2020 |",
        [("sheet", 1, "")],
    )


def test_json_on_one_line_is_broken_into_lines():
    value = {"ducks": [{"name": "Мallard" * 10}] * 60}

    text = texts(read(json.dumps(value).encode(), "a.json"))

    assert json.loads(text) == value
    assert max(map(len, text.split("\n"))) < 200


@pytest.mark.parametrize("text", ["[" * 5000, '{"a": ' + "1" * 3000], ids=["deep", "cut"])
def test_json_that_is_none_is_text(text: str):
    assert texts(read(text.encode(), "a.json")) == text


def test_entities_within_entities_are_refused_and_plain_ones_are_not():
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    leak = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    plain = b'<!DOCTYPE x [<!ENTITY copy "(c)">]><x>&copy;</x>'

    assert [read(data, "a.xml")["outcome"] for data in (bomb, leak, plain)] == ["not_safe", "not_safe", "ok"]
