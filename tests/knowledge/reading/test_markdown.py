"""Tables, and sections of Markdown."""

from __future__ import annotations

import pytest

from gptbuilder.knowledge.reading import limits, markdown
from gptbuilder.knowledge.reading.document import Unreadable


def titles(text: str) -> list[str]:
    return [section.title for section in markdown.sections(text)]


def test_a_heading_ends_what_stood_on_its_level_and_below():
    assert titles("# A\n\n## B\n\n### C\n\n## D\n\n# E") == ["A", "A › B", "A › B › C", "A › D", "E"]


def test_underlined_headings_count_and_lines_across_do_not():
    assert titles("Title\n=====\n\nText.\n\nPart\n---\n\nMore.\n\n---\n\nEnd.") == ["Title", "Title › Part"]


def test_code_holds_no_headings():
    assert titles("# A\n\n```sh\n# a comment\n```\n\n~~~~\n~~~\n# B\n~~~~") == ["A"]


def test_a_title_is_words_alone():
    assert titles("# **The** [duck](https://x.org/a_(b)) `x` ![](y.png) 5 \\* 3 ##") == [
        "The duck x  5 * 3".replace("  ", " ")
    ]


def test_no_text_is_lost():
    text = "before\n\n# A\n\none\n\nB\n-\n\ntwo"

    assert "\n\n".join(section.text for section in markdown.sections(text)) == text


def test_a_long_path_keeps_its_end():
    assert titles("# " + "a" * 300 + "\n## End")[1].endswith("a › End")


def test_a_cell_is_one_line_and_its_pipes_are_escaped():
    assert markdown.table([["a|b", "c\nd"]]) == "| a\\|b | c d |\n| --- | --- |"


@pytest.mark.parametrize(("most", "rows"), [("COLUMNS", [["x"] * 6]), ("CELLS", [["x"] * 3] * 2)])
def test_a_table_has_an_end(most: str, rows: list[list[str]], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(markdown, most, 5)

    with pytest.raises(Unreadable) as refused:
        markdown.table(rows)

    assert refused.value.outcome == "too_large"


def test_a_budget_ends_the_reading():
    budget = limits.Budget(10)
    budget.spend("x" * 10)

    with pytest.raises(Unreadable):
        budget.spend("y")
