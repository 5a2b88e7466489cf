"""Snapshots, publishing, restoring, pruning; what the database refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from gptbuilder.conversations import turns
from gptbuilder.gpts import drafts, versions
from gptbuilder.gpts.models import Draft, GPTVersion
from tests import world

pytestmark = pytest.mark.django_db


def test_a_snapshot_is_the_same_row_while_nothing_changed(ada):
    gpt = world.trail_planner(ada)

    first = versions.snapshot(gpt.draft)
    again = versions.snapshot(Draft.objects.get(gpt=gpt))

    assert first.pk == again.pk
    assert first.number is None


def test_a_changed_draft_has_another_snapshot(ada):
    gpt = world.trail_planner(ada)
    first = versions.snapshot(gpt.draft)

    drafts.apply(gpt.pk, {"name": "Lake Planner"})

    assert versions.snapshot(Draft.objects.get(gpt=gpt)).pk != first.pk


def test_publishing_gives_the_next_number(ada):
    gpt = world.trail_planner(ada)

    first = versions.publish(gpt, by=ada, now=timezone.now())
    drafts.apply(gpt.pk, {"name": "Lake Planner"})
    second = versions.publish(gpt, by=ada, now=timezone.now())

    gpt.refresh_from_db()
    assert (first.number, second.number) == (1, 2)
    assert gpt.live_version == second


def test_publishing_what_is_live_changes_nothing(ada):
    gpt = world.trail_planner(ada)
    first = versions.publish(gpt, by=ada, now=timezone.now())

    assert versions.publish(gpt, by=ada, now=timezone.now()) == first
    assert gpt.versions.count() == 1


def test_a_restored_version_comes_back_under_a_new_number(ada):
    gpt = world.trail_planner(ada)
    first = versions.publish(gpt, by=ada, now=timezone.now())
    drafts.apply(gpt.pk, {"name": "Lake Planner"})
    versions.publish(gpt, by=ada, now=timezone.now())

    changes = versions.restore(first)
    third = versions.publish(gpt, by=ada, now=timezone.now())

    assert [change.field for change in changes] == ["name"]
    assert (third.number, third.restored_from, third.name) == (3, 1, "Trail Planner")


@pytest.mark.parametrize("change", [{"name": "Other"}, {"instructions": "Lie."}, {"number": 7}, {"starters": []}])
def test_the_database_refuses_to_change_a_published_version(ada, change):
    version = versions.publish(world.trail_planner(ada), by=ada, now=timezone.now())

    with pytest.raises(IntegrityError), transaction.atomic():
        GPTVersion.objects.filter(pk=version.pk).update(**change)


def test_the_account_that_published_can_be_deleted(ada, ben):
    version = versions.publish(world.trail_planner(ada), by=ben, now=timezone.now())

    ben.delete()

    version.refresh_from_db()
    assert version.published_by is None


def test_old_snapshots_that_nothing_uses_are_pruned(ada):
    gpt = world.trail_planner(ada)
    unused = versions.snapshot(gpt.draft)
    drafts.apply(gpt.pk, {"name": "Lake Planner"})
    gpt.draft.refresh_from_db()
    thread = turns.start_thread(ada, gpt, purpose="preview")
    used = turns.start_turn(thread, ada, "Where to?", timezone.now()).version
    drafts.apply(gpt.pk, {"name": "Hill Planner"})
    live = versions.publish(gpt, by=ada, now=timezone.now())

    versions.prune(timezone.now(), references=["runs"])
    assert GPTVersion.objects.filter(pk=unused.pk).exists(), "a fresh snapshot is kept for a day"
    versions.prune(timezone.now() + timedelta(days=2), references=["runs"])

    assert set(gpt.versions.all()) == {used, live}
