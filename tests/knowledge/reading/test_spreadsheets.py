"""Sheets of every program."""

from __future__ import annotations

import datetime

import pytest

from gptbuilder.knowledge.reading.spreadsheets import shown
from tests.knowledge.reading import samples
from tests.knowledge.reading.samples import places, read, row, texts, xlsx


def test_each_sheet_is_a_section_with_its_name():
    answer = read(xlsx(("Ducks", row(1, A="x")), ("Empty", ""), ("Geese", row(1, A="y"))), "a.xlsx")

    assert places(answer) == [("sheet", 1, "Ducks"), ("sheet", 3, "Geese")]


def test_the_first_wide_row_is_the_header_and_what_stands_above_it_a_caption():
    rows = row(2, B="Ducks by year") + row(3, B="Year", C="Ducks") + row(4, B=2019, C=120)

    answer = read(xlsx(("S", rows)), "a.xlsx")

    assert texts(answer) == "## S\n\nDucks by year\n\n| Year | Ducks |\n| --- | --- |\n| 2019 | 120 |"


def test_an_empty_row_parts_two_tables():
    rows = row(1, A="a", B="b") + row(2, A="1", B="2") + row(4, A="c", B="d") + row(5, A="3", B="4")

    assert texts(read(xlsx(("S", rows)), "a.xlsx")).count("| --- | --- |") == 2


def test_comments_are_read_with_their_sheet():
    more = {
        "xl/worksheets/_rels/sheet1.xml.rels": samples.relations({"c": ("comments", "../comments1.xml")}),
        "xl/comments1.xml": f'<comments xmlns="{samples.SHEETS}"><commentList><comment ref="B2"><text><r><t>Check this.'
        "</t></r></text></comment></commentList></comments>",
    }

    assert "Comment on B2: Check this." in texts(read(xlsx(("S", row(1, A="x")), **more), "a.xlsx"))


def test_opendocument_sheets_are_read_alike():
    table = (
        '<table:table table:name="Ducks"><table:table-row><table:table-cell office:value-type="string">'
        "<text:p>Mallard</text:p></table:table-cell></table:table-row></table:table>"
    )

    answer = read(samples.open_document("spreadsheet", table), "a.ods")

    assert (places(answer), "Mallard" in texts(answer)) == ([("sheet", 1, "Ducks")], True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (0.1 + 0.2, "0.3"),
        (123456789012345.0, "123456789012345"),
        (1e300, "1e+300"),
        (True, "TRUE"),
        (datetime.datetime(2024, 5, 6), "2024-05-06"),
        (datetime.datetime(2024, 5, 6, 7, 8), "2024-05-06 07:08:00"),
        (datetime.time(18, 15), "18:15"),
        (datetime.date(2024, 5, 6), "2024-05-06"),
        ("", ""),
    ],
)
def test_values_read_as_one_would_write_them(value: object, text: str):
    assert shown(value) == text
