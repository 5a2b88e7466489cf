"""Changing a draft."""

from __future__ import annotations

import pytest

from gptbuilder.gpts import drafts
from gptbuilder.gpts.models import Configuration, Draft

pytestmark = pytest.mark.django_db


def test_only_what_differs_is_a_change(ada):
    gpt = drafts.create(ada)

    first = drafts.apply(gpt.pk, {"name": "Trail Planner", "description": ""})
    again = drafts.apply(gpt.pk, {"name": "Trail Planner"})

    assert [(change.field, change.before, change.after) for change in first] == [("name", "", "Trail Planner")]
    assert again == []
    assert Draft.objects.get(gpt=gpt).revision == 1


def test_values_are_cleaned_and_cut_to_what_the_fields_hold():
    fitted = drafts.fitted(
        {
            "name": "  Trail \n Planner\x00 " + "x" * 100,
            "instructions": "One.\r\nTwo.\n",
            "starters": ["  a ", "", "a", "b" * 500, *"cdefghij"],
        }
    )

    assert fitted["name"].startswith("Trail Planner x") and len(fitted["name"]) == Configuration.NAME_LENGTH
    assert fitted["instructions"] == "One.\nTwo."
    assert fitted["starters"][:2] == ["a", "b" * Configuration.STARTER_LENGTH]
    assert len(fitted["starters"]) == Configuration.STARTERS_MOST


def test_a_field_that_a_draft_does_not_have_is_an_error(ada):
    with pytest.raises(ValueError, match="owner"):
        drafts.apply(drafts.create(ada).pk, {"owner": "cleo"})
