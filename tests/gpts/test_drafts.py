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


def test_the_builder_leaves_locked_fields_alone_and_says_which_would_have_changed(ada):
    gpt = drafts.create(ada)
    drafts.apply(gpt.pk, {"name": "Trail Planner", "description": "Hikes."})
    drafts.lock(gpt.pk, "name")
    drafts.lock(gpt.pk, "description")

    changes, locked = drafts.apply_unlocked(
        gpt.pk, {"name": "Lake Planner", "description": "Hikes.", "instructions": "Ask first."}
    )

    draft = Draft.objects.get(gpt=gpt)
    assert [change.field for change in changes] == ["instructions"]
    assert locked == ["name"]
    assert (draft.name, draft.instructions) == ("Trail Planner", "Ask first.")


def test_a_lock_changes_neither_digest_nor_revision(ada):
    gpt = drafts.create(ada)
    before = Draft.objects.get(gpt=gpt)

    drafts.lock(gpt.pk, "name")
    drafts.lock(gpt.pk, "name")
    locked = Draft.objects.get(gpt=gpt)
    drafts.unlock(gpt.pk, "name")

    assert locked.locked_fields == ["name"]
    assert (locked.digest(), locked.revision) == (before.digest(), before.revision)
    assert Draft.objects.get(gpt=gpt).locked_fields == []


def test_an_exchange_writes_only_where_nothing_else_was_written_meanwhile(ada):
    gpt = drafts.create(ada)
    drafts.apply(gpt.pk, {"name": "Lake Planner", "description": "Mine."})
    wanted = [
        drafts.Change("name", "Lake Planner", "Trail Planner"),
        drafts.Change("description", "Hikes.", ""),
        drafts.Change("instructions", "x", ""),
    ]

    written, left = drafts.exchange(gpt.pk, wanted)
    again, left_again = drafts.exchange(gpt.pk, wanted)

    assert [change.field for change in written] == ["name"]
    assert left == left_again == ["description"]
    assert again == []
    assert Draft.objects.get(gpt=gpt).name == "Trail Planner"
