"""Thumbs up and down."""

from __future__ import annotations

import pytest
from django.test import Client

from gptbuilder.conversations import guests, turns
from gptbuilder.conversations.models.feedback import Feedback
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import access, builtin
from tests import world
from tests.conversations.test_turns import answered, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def answer(ada) -> Message:
    return answered(say(turns.start_thread(ada, builtin.default_gpt()), ada), "SECRET OF THE LAKE")


def address(message: Message) -> str:
    return f"/messages/{message.pk}/feedback/"


def test_a_person_has_one_opinion_that_can_change_and_go(answer, ada, as_person):
    client = as_person(ada)

    up = client.post(address(answer), {"rating": "up"}).content.decode()
    client.post(address(answer), {"rating": "down", "reason": "wrong", "words": "There is no lake."})
    opinion = Feedback.objects.get()
    client.delete(address(answer))

    assert 'aria-pressed="true" aria-label="Good answer"' in up
    assert (opinion.person, opinion.rating, opinion.reason) == (ada, "down", "wrong")
    assert opinion.words == "There is no lake."
    assert not Feedback.objects.exists()


def test_praise_has_no_reason_and_an_unknown_reason_is_none(answer, ada, as_person):
    client = as_person(ada)

    client.post(address(answer), {"rating": "up", "reason": "wrong", "words": "x"})
    praise = Feedback.objects.get()
    client.post(address(answer), {"rating": "down", "reason": "<script>", "words": "x" * 5000})
    blame = Feedback.objects.get()

    assert (praise.reason, praise.words) == ("", "")
    assert (blame.reason, len(blame.words)) == ("", 1000)


def test_a_rating_that_is_none_is_refused(answer, ada, as_person):
    assert as_person(ada).post(address(answer), {"rating": "sideways"}).status_code == 400


def test_the_page_shows_what_one_thought(answer, ada, as_person):
    client = as_person(ada)
    client.post(address(answer), {"rating": "down", "reason": "style"})

    page = client.get(f"/c/{answer.thread_id}/").content.decode()
    form = client.get(address(answer)).content.decode()

    assert 'aria-pressed="true" aria-label="Bad answer"' in page
    assert 'value="style" checked' in form


def test_only_answers_of_ones_own_threads_can_be_judged(answer, ada, cleo, as_person):
    question = answer.parent

    assert as_person(cleo).post(address(answer), {"rating": "up"}).status_code == 404
    assert as_person(cleo).delete(address(answer)).status_code == 404
    assert as_person(cleo).get(address(answer)).status_code == 404
    assert Client().post(address(answer), {"rating": "up"}).status_code == 404
    assert as_person(ada).post(address(question), {"rating": "up"}).status_code == 404
    assert not Feedback.objects.exists()


def test_who_built_the_gpt_learns_nothing_of_it(ada, ben, as_person):
    gpt = world.shared_trail_planner(ada)
    access.remember_visit(gpt, ben)
    found = answered(say(turns.start_thread(ben, gpt), ben), "To the lake.")
    as_person(ben).post(address(found), {"rating": "down", "words": "Dreadful."})

    assert as_person(ada).post(address(found), {"rating": "up"}).status_code == 404
    for page in ("/gpts/", f"/gpts/{gpt.pk}/edit/", f"/gpts/{gpt.pk}/edit/configure/"):
        assert b"Dreadful" not in as_person(ada).get(page).content
    assert Feedback.objects.get().rating == "down"


def test_the_operator_sees_reasons_and_counts_but_not_the_conversation(answer, ada, mo, as_person):
    as_person(ada).post(address(answer), {"rating": "down", "reason": "wrong", "words": "There is no lake."})
    opinion = Feedback.objects.get()
    client = as_person(mo)

    for page in (
        "/admin/conversations/feedback/",
        f"/admin/conversations/feedback/{opinion.pk}/change/",
        "/admin/conversations/feedback/?rating__exact=down",
    ):
        response = client.get(page, follow=True)
        html = response.content.decode()
        assert "There is no lake." in html
        assert "SECRET OF THE LAKE" not in html
        assert "Where to on Sunday?" not in html


def test_a_guests_opinion_moves_to_their_account(ada, django_user_model):
    guest = django_user_model.objects.create_user(None, kind="guest")
    gpt = world.shared_trail_planner(ada)
    access.remember_visit(gpt, guest)
    found = answered(say(turns.start_thread(guest, gpt), guest))
    Feedback.objects.create(message=found, person=guest, rating="up")
    ben = world.person("Ben")

    guests.merge(guest.pk, ben)

    assert Feedback.objects.get().person == ben
    assert Thread.objects.of(ben).exists()
