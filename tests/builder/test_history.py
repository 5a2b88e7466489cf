"""Taking a turn back, comparing versions, locks, the check-list."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.utils import timezone

from gptbuilder.builder import checklist, diffs
from gptbuilder.conversations import turns
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.gpts import builtin, drafts, versions
from gptbuilder.gpts.models import GPT, Draft
from tests import world

pytestmark = pytest.mark.django_db

BEFORE = {"name": "Trail Planner", "description": "Day hikes a family will finish smiling."}
AFTER = {"name": "Lake Planner", "description": "Lakes."}


@pytest.fixture
def gpt(ada) -> GPT:
    return world.trail_planner(ada)


@pytest.fixture
def client(ada, as_person) -> Client:
    return as_person(ada)


def builder_turn(gpt: GPT, *, locked: tuple[str, ...] = (), **after: object) -> Run:
    """A finished turn of the builder that wrote this into the draft."""
    changes = drafts.apply(gpt.pk, after)
    thread = turns.start_thread(gpt.owner, builtin.builder_gpt(), purpose="builder", subject=gpt)
    run = turns.start_turn(thread, gpt.owner, "Change it", timezone.now())
    data = {
        "changes": [{"field": change.field, "before": change.before, "after": change.after} for change in changes],
        "locked": list(locked),
    }
    RunStep.objects.create(
        run=run, position=1, kind="tool_calls", tool="update_behavior", attempt=1, data=data, started_at=timezone.now()
    )
    Run.objects.filter(pk=run.pk).update(status="completed")
    thread.head = Message.objects.create(
        thread=thread, parent=run.question, role="assistant", text="Done.", html="<p>Done.</p>", run=run
    )
    thread.save()
    return run


def reversal(gpt: GPT, run: Run) -> str:
    return f"/gpts/{gpt.pk}/edit/turns/{run.pk}/reversal/"


def said(response) -> str:
    return json.loads(response["HX-Trigger"])["toast"]["text"]


def test_a_turn_is_taken_back_and_brought_again(client, gpt):
    run = builder_turn(gpt, **AFTER)

    undone = client.post(reversal(gpt, run))
    without = Draft.objects.get(gpt=gpt).configuration()
    redone = client.delete(reversal(gpt, run))

    assert {field: without[field] for field in BEFORE} == BEFORE
    assert said(undone) == "Undone: name, description."
    assert b"hx-delete" in undone.content and b"hx-post" in redone.content
    assert json.loads(undone["HX-Trigger"])["toast"]["undo"]["method"] == "DELETE"
    assert Draft.objects.get(gpt=gpt).name == "Lake Planner"


def test_a_second_click_changes_nothing_and_says_so(client, gpt):
    run = builder_turn(gpt, **AFTER)
    client.post(reversal(gpt, run))
    revision = Draft.objects.get(gpt=gpt).revision

    again = client.post(reversal(gpt, run))

    assert said(again) == "This turn is undone already."
    assert Draft.objects.get(gpt=gpt).revision == revision


def test_what_was_changed_since_is_left_and_named(client, gpt):
    run = builder_turn(gpt, **AFTER)
    drafts.apply(gpt.pk, {"description": "My own words."})

    response = client.post(reversal(gpt, run))

    draft = Draft.objects.get(gpt=gpt)
    assert (draft.name, draft.description) == ("Trail Planner", "My own words.")
    assert said(response) == "Undone: name. Changed since, so left as it is: description."


def test_a_turn_that_was_overtaken_offers_no_button(client, gpt):
    builder_turn(gpt, **AFTER)
    drafts.apply(gpt.pk, {"name": "Mine", "description": "Mine."})

    page = client.get(f"/gpts/{gpt.pk}/edit/").content.decode()

    assert "These fields have changed again since." in page
    assert "Undo this turn" not in page


def test_neither_a_stranger_nor_another_gpts_address_takes_a_turn_back(client, cleo, ada, as_person, gpt):
    run = builder_turn(gpt, **AFTER)
    other = world.trail_planner(ada)

    assert as_person(cleo).post(reversal(gpt, run)).status_code == 404
    assert client.post(reversal(other, run)).status_code == 404
    assert Draft.objects.get(gpt=gpt).name == "Lake Planner"


def test_what_a_lock_kept_is_said_under_the_answer(client, gpt):
    builder_turn(gpt, locked=("description",))

    page = client.get(f"/gpts/{gpt.pk}/edit/").content.decode()

    assert "Description is locked by you, so it stayed as it was." in page


def test_several_locked_fields_are_listed():
    assert diffs.locked_sentence(["starters", "instructions"]) == (
        "Locked by you, so left as they were: instructions, starters."
    )
    assert diffs.locked_sentence([]) == ""


def test_a_field_is_locked_and_unlocked(client, gpt):
    locked = client.post(f"/gpts/{gpt.pk}/locks/instructions/")
    on_the_page = client.get(f"/gpts/{gpt.pk}/edit/configure/").content.decode()
    unlocked = client.delete(f"/gpts/{gpt.pk}/locks/instructions/")

    assert b'aria-pressed="true"' in locked.content
    assert on_the_page.count('aria-pressed="true" title') == 1
    assert b'aria-pressed="false"' in unlocked.content


def test_only_fields_can_be_locked_and_only_by_the_owner(client, cleo, as_person, gpt):
    assert client.post(f"/gpts/{gpt.pk}/locks/owner/").status_code == 404
    assert as_person(cleo).post(f"/gpts/{gpt.pk}/locks/name/").status_code == 404
    assert Draft.objects.get(gpt=gpt).locked_fields == []


def published_twice(gpt: GPT) -> tuple[object, object]:
    first = versions.publish(gpt, by=gpt.owner, now=timezone.now())
    drafts.apply(gpt.pk, {"description": "Lakes.", "starters": ["下雨天带孩子去哪里走走？"]})
    return first, versions.publish(gpt, by=gpt.owner, now=timezone.now())


def test_a_version_is_compared_with_the_one_before(client, gpt):
    _first, second = published_twice(gpt)

    page = client.get(f"/gpts/{gpt.pk}/versions/{second.pk}/comparison/").content.decode()

    assert "Version 2, compared with version 1" in page
    assert 'data-sign="−" dir="auto">Day hikes a family will finish smiling.</del>' in page
    assert 'data-sign="+" dir="auto">Lakes.</ins>' in page


def test_the_draft_is_compared_with_a_version(client, gpt):
    first, second = published_twice(gpt)

    changed = client.get(f"/gpts/{gpt.pk}/versions/{first.pk}/comparison/?with=draft").content.decode()
    same = client.get(f"/gpts/{gpt.pk}/versions/{second.pk}/comparison/?with=draft").content.decode()

    assert "Draft, compared with version 1" in changed and "Restore version 1" in changed
    assert "The draft is exactly version 2." in same and "Restore version" not in same


def test_the_first_version_shows_everything_it_has(client, gpt):
    first, _second = published_twice(gpt)

    page = client.get(f"/gpts/{gpt.pk}/versions/{first.pk}/comparison/").content.decode()

    assert 'data-sign="+" dir="auto">Trail Planner</ins>' in page


def test_starters_that_only_moved_are_told():
    (field,) = diffs.between({"starters": ["A", "B"]}, {"starters": ["B", "A"]})

    assert [str(line.text) for line in field.lines] == ["Only the order changed."]


def test_strangers_and_other_gpts_find_no_comparison(client, cleo, ada, as_person, gpt):
    first, _second = published_twice(gpt)
    other = world.trail_planner(ada)

    assert as_person(cleo).get(f"/gpts/{gpt.pk}/versions/{first.pk}/comparison/").status_code == 404
    assert client.get(f"/gpts/{other.pk}/versions/{first.pk}/comparison/").status_code == 404


def test_without_htmx_restoring_leads_to_the_form(client, gpt):
    first, _second = published_twice(gpt)

    response = client.post(f"/gpts/{gpt.pk}/versions/{first.pk}/restoration/", follow=True)

    assert response.redirect_chain == [(f"/gpts/{gpt.pk}/edit/configure/", 302)]
    assert b"The draft is version 1 again." in response.content


def done(gpt: GPT) -> list[bool]:
    fresh = GPT.objects.select_related("draft", "owner").get(pk=gpt.pk)
    return [check.is_done for check in checklist.checks(fresh, fresh.owner)]


def test_the_check_list_names_what_is_missing(client, ada, gpt):
    empty = drafts.create(ada)

    page = client.get(f"/gpts/{empty.pk}/publication/").content.decode()

    assert done(empty) == [False] * 6
    assert done(gpt) == [True, True, True, False, True, False]
    assert "Required" in page and f'href="/gpts/{empty.pk}/edit/configure/#description"' in page


def test_tried_means_tried_as_it_is_now(client, gpt):
    client.post(f"/gpts/{gpt.pk}/preview/messages/", {"text": "Where to?"})
    unanswered = done(gpt)[-1]
    Run.objects.update(status="completed")
    tried = done(gpt)[-1]
    drafts.apply(gpt.pk, {"name": "Lake Planner"})

    assert (unanswered, tried, done(gpt)[-1]) == (False, True, False)
