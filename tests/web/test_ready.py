from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from gptbuilder.accounts.models import User
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts.models import GPT
from gptbuilder.web.ready import Ready, insert
from tests import world

pytestmark = pytest.mark.django_db

BY_ID = Ready(lambda user_id: User.objects.filter(pk=user_id), str)


def test_a_question_is_asked_anew_with_each_value(ada, ben):
    found = [BY_ID.first(person.pk) for person in (ada, ben, ada)]

    assert found == [ada, ben, ada]


def test_nobody_is_none(db):
    assert BY_ID.first("user_nobody") is None


def test_constants_and_times_of_the_question_keep_their_places(ada, ben):
    seen_after = Ready(
        lambda after, kind: User.objects.filter(is_active=True, last_seen_at__gt=after, kind=kind).order_by("name"),
        type(timezone.now()),
        str,
    )
    now = timezone.now()

    assert seen_after.rows(now - timedelta(hours=1), "member") == [ada, ben]
    assert seen_after.rows(now + timedelta(hours=1), "member") == []
    assert seen_after.rows(now - timedelta(hours=1), "guest") == []


def test_related_rows_come_along(ada, django_assert_num_queries):
    gpt = world.trail_planner(ada)
    with_owner = Ready(lambda gpt_id: GPT.objects.select_related("owner", "draft").filter(pk=gpt_id), str)

    with django_assert_num_queries(1):
        found = with_owner.first(gpt.pk)
        assert (found.owner, found.draft.name) == (ada, "Trail Planner")


def test_a_value_that_the_question_does_not_use_is_refused(db):
    useless = Ready(lambda user_id, name: User.objects.filter(pk=user_id), str, str)

    with pytest.raises(ValueError, match="value 1"):
        useless.rows("user_1", "Ada")


def test_a_value_used_twice_reaches_both_places(ada):
    twice = Ready(lambda text: User.objects.filter(pk=text) | User.objects.filter(name=text), str)

    assert twice.rows(ada.pk) == [ada]
    assert twice.rows("Ada") == [ada]


def test_rows_that_refer_to_each_other_are_stored_by_one_statement(ada, django_assert_num_queries):
    gpt = world.trail_planner(ada)
    thread = Thread(workspace=gpt.workspace, owner=ada, gpt=gpt, title="Ä “quoted” 100%")
    question = thread.head = Message(thread=thread, role="user", text="Where to?")

    with django_assert_num_queries(1):
        insert(thread, question)

    found = Thread.objects.select_related("head").get(pk=thread.pk)
    assert (found.title, found.head, found.head.text) == ("Ä “quoted” 100%", question, "Where to?")
    assert (found.created_at, found.updated_at) == (thread.created_at, thread.updated_at)
    thread.title = "Another"
    with django_assert_num_queries(1):
        thread.save()


def test_all_new_rows_are_stored_or_none(ada):
    gpt = world.trail_planner(ada)
    thread = Thread(workspace=gpt.workspace, owner=ada, gpt=gpt)
    question = Message(thread=thread, role="user", text="Where to?")
    insert(thread, question)
    other = Thread(workspace=gpt.workspace, owner=ada, gpt=gpt)

    with pytest.raises(IntegrityError), transaction.atomic():
        insert(other, Message(id=question.pk, thread=other, role="user", text="Again"))

    assert not Thread.objects.filter(pk=other.pk).exists()
