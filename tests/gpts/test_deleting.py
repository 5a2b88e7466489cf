"""Deleting a GPT and bringing it back; what others keep of it."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import Image

from gptbuilder.builder.tasks import forget_trying
from gptbuilder.conversations import turns
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.turns import TurnRefused
from gptbuilder.gpts import access, deleting, drafts, pictures
from gptbuilder.gpts.models import GPT, Picture
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def shared(ada) -> GPT:
    return world.shared_trail_planner(ada)


def test_a_deleted_gpt_is_gone_for_everybody_at_once(ada, ben, shared):
    access.remember_visit(shared, ben)

    deleting.delete(shared, timezone.now())

    assert not GPT.objects.editable_by(ada).exists()
    assert not GPT.objects.usable_by(ada).filter(builtin=None).exists()
    assert not GPT.objects.usable_by(ben).filter(builtin=None).exists()
    with pytest.raises(GPT.DoesNotExist):
        access.by_link(shared.link_token)


def test_brought_back_it_is_as_it_was_with_its_link(ben, shared):
    access.remember_visit(shared, ben)
    deleting.delete(shared, timezone.now())

    deleting.bring_back(shared)

    assert access.by_link(shared.link_token) == shared
    assert shared in GPT.objects.usable_by(ben)


def test_only_the_owner_sees_what_was_deleted(ada, ben, shared):
    deleting.delete(shared, timezone.now())

    assert list(GPT.objects.deleted_by(ada)) == [shared]
    assert not GPT.objects.deleted_by(ben).exists()
    assert not GPT.objects.deleted_by(None).exists()


def test_deleting_twice_keeps_the_first_moment(shared):
    first = timezone.now() - timedelta(days=3)

    deleting.delete(shared, first)
    deleting.delete(shared, timezone.now())

    shared.refresh_from_db()
    assert shared.deleted_at == first


def test_chats_of_others_stay_and_cannot_go_on(ben, shared):
    access.remember_visit(shared, ben)
    thread = turns.start_thread(ben, shared)
    turns.cancel(turns.start_turn(thread, ben, "Where to?", timezone.now()))

    deleting.delete(shared, timezone.now())

    thread = Thread.objects.of(ben).get()
    assert [message.text for message in thread.path()] == ["Where to?"]
    with pytest.raises(TurnRefused, match="does not exist any more"):
        turns.start_turn(thread, ben, "And then?", timezone.now())


def test_after_thirty_days_it_is_erased_with_its_picture_and_previews_but_not_with_the_chats_of_others(
    ada, ben, shared, django_capture_on_commit_callbacks
):
    file = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    picture = pictures.receive(shared, BytesIO(file.getvalue()))
    drafts.apply(shared.pk, {"picture_id": picture.pk})
    path = Path(picture.file.path)
    access.remember_visit(shared, ben)
    bens = turns.start_thread(ben, shared)
    turns.start_turn(bens, ben, "Where to?", timezone.now())
    turns.start_turn(turns.start_thread(ada, shared, "preview"), ada, "Test", timezone.now())
    now = timezone.now()
    deleting.delete(shared, now - timedelta(days=29))
    assert deleting.purge(now, first=forget_trying) == 0

    with django_capture_on_commit_callbacks(execute=True):
        erased = deleting.purge(now + timedelta(days=2), first=forget_trying)

    bens.refresh_from_db()
    assert erased == 1
    assert not GPT.objects.filter(pk=shared.pk).exists()
    assert not Picture.objects.exists() and not path.exists()
    assert bens.gpt is None and bens.messages.count() == 1
    assert not Thread.objects.filter(purpose="preview").exists()


def test_what_was_brought_back_is_never_erased(shared):
    long_ago = timezone.now() - timedelta(days=90)
    deleting.delete(shared, long_ago)
    deleting.bring_back(shared)

    assert deleting.purge(timezone.now(), first=forget_trying) == 0
    assert GPT.objects.filter(pk=shared.pk).exists()
