"""What changed in a draft, for reading."""

from __future__ import annotations

from gptbuilder.builder import diffs
from gptbuilder.builder.diffs import Line


def change(field, before, after):
    return {"field": field, "before": before, "after": after}


def test_a_changed_line_is_shown_with_its_neighbours_and_its_place():
    before = "One.\nTwo.\nThree.\nFour.\nFive."
    after = "One.\nTwo.\nThird.\nThird again.\nFour.\nFive."

    (field,) = diffs.field_diffs([change("instructions", before, after)])

    assert field.lines == [
        Line(" ", "Two."),
        Line("−", "Three."),
        Line("+", "Third."),
        Line("+", "Third again."),
        Line(" ", "Four."),
    ]
    assert (field.grew, field.shrank, field.first, field.last) == (2, 1, 2, 5)


def test_new_instructions_are_all_additions():
    (field,) = diffs.field_diffs([change("instructions", "", "One.\n\nTwo.")])

    assert [line.sign for line in field.lines] == ["+", "+"]
    assert (field.first, field.last) == (1, 3)


def test_starters_count_what_came():
    (field,) = diffs.field_diffs([change("starters", ["A", "B"], ["B", "C", "D"])])

    assert str(field.chip) == "2 starters"
    assert field.lines == [Line("−", "A"), Line("+", "C"), Line("+", "D")]


def test_fields_come_in_the_order_of_the_form():
    found = diffs.field_diffs(
        [change("starters", [], ["A"]), change("picture_id", None, "pic_1"), change("name", "", "N")]
    )

    assert [field.name for field in found] == ["name", "starters", "picture_id"]


def test_two_changes_of_one_field_are_one():
    assert diffs.merged([change("name", "A", "B"), change("name", "B", "C")]) == [change("name", "A", "C")]
    assert diffs.merged([change("name", "A", "B"), change("name", "B", "A")]) == []


def test_unknown_fields_of_later_versions_are_left_out():
    assert diffs.field_diffs([change("colour", "red", "blue")]) == []


def test_changed_fields_names_what_differs():
    before = {"name": "A", "description": "", "starters": []}
    after = {"name": "A", "description": "D", "starters": ["S"]}

    assert [str(name) for name in diffs.changed_fields(before, after)] == ["description", "starters"]
    assert [str(name) for name in diffs.changed_fields(None, after)] == ["name", "description", "starters"]
