"""The chat page as its addresses answer. No worker runs here: a run stays queued unless a test ends it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gptbuilder.conversations import sidebar, turns
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import access, builtin
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat(ada) -> Thread:
    """Ada asked; nobody has answered yet."""
    thread = turns.start_thread(ada, builtin.default_gpt())
    turns.start_turn(thread, ada, "Which walk has a lake?", timezone.now())
    return Thread.objects.get(pk=thread.pk)


def answer(
    thread: Thread, text: str = "The Oeschinen shore.", status: str = Run.Status.COMPLETED, code: str = ""
) -> Run:
    run = turns.latest_run(thread)
    assert run
    run.status, run.error_code = status, code
    run.save()
    if text:
        thread.head = Message.objects.create(
            thread=thread, parent_id=run.question_id, role="assistant", text=text, html=f"<p>{text}</p>", run=run
        )
        thread.save()
    return run


def test_a_new_chat_greets_and_offers_starters(ada, as_person):
    page = as_person(ada).get("/c/")

    assert page.status_code == 200
    assert b"What can I help with?" in page.content
    assert b"data-send=" in page.content


def test_home_is_the_landing_page_for_a_stranger_and_a_new_chat_for_a_member(ada, as_person):
    assert b'id="pane-chat"' not in Client().get("/").content
    assert b'id="pane-chat"' in as_person(ada).get("/").content


def test_the_first_message_makes_a_thread_and_names_its_address(ada, as_person):
    gpt = builtin.default_gpt()

    response = as_person(ada).post(reverse("conversations:start", args=[gpt.pk]), {"text": "Hello"})

    thread = Thread.objects.of(ada).get()
    assert response["HX-Push-Url"] == f"/c/{thread.pk}/"
    assert response["HX-Retarget"] == "#pane-chat"
    assert b"<run-stream" in response.content
    page = response.content.decode()
    assert 'hx-swap-oob="afterbegin:#chats-today"' in page
    assert f'href="/c/{thread.pk}/" aria-current="page"' in page
    assert "#shortcuts" not in page


def test_the_first_message_puts_the_gpt_in_front_of_the_others(ada, as_person):
    gpt = world.trail_planner(ada)

    page = as_person(ada).post(reverse("conversations:start", args=[gpt.pk]), {"text": "Hello"}).content.decode()

    assert f'<li id="shortcut-{gpt.pk}" hx-swap-oob="delete">' in page
    assert 'hx-swap-oob="afterbegin:#shortcuts"' in page


def test_an_empty_first_message_leaves_no_thread_behind(ada, as_person):
    response = as_person(ada).post(reverse("conversations:start", args=[builtin.default_gpt().pk]), {"text": "  "})

    assert response.status_code == 422
    assert response["HX-Retarget"] == "#trouble-chat"
    assert not Thread.objects.exists()


def test_a_page_opened_in_mid_answer_follows_its_stream(ada, as_person, chat):
    page = as_person(ada).get(f"/c/{chat.pk}/").content.decode()

    assert f"/runs/{turns.latest_run(chat).pk}/events" in page


def test_another_answer_while_one_is_written_is_refused_with_409(ada, as_person, chat):
    response = as_person(ada).post(f"/c/{chat.pk}/regeneration/")

    assert response.status_code == 409
    assert response["HX-Retarget"] == "#trouble-chat"
    assert b"still being written" in response.content


def test_too_many_messages_are_refused_with_429(ada, as_person, chat, settings):
    answer(chat)
    settings.MESSAGES_PER_HOUR = 0

    assert as_person(ada).post(f"/c/{chat.pk}/messages/", {"text": "More"}).status_code == 429


def test_the_next_message_adds_the_question_and_a_bubble(ada, as_person, chat):
    answer(chat)

    response = as_person(ada).post(f"/c/{chat.pk}/messages/", {"text": "And in <b>rain</b>?"})

    assert b"And in &lt;b&gt;rain&lt;/b&gt;?" in response.content
    assert response.content.count(b"<run-stream") == 1


def test_another_answer_replaces_the_last_one(ada, as_person, chat):
    run = answer(chat)

    response = as_person(ada).post(f"/c/{chat.pk}/regeneration/")
    page = as_person(ada).get(f"/c/{chat.pk}/").content.decode()

    assert b"<run-stream" in response.content
    assert f'id="{run.pk}"' not in page


def test_a_failed_answer_says_why_and_offers_to_try_again(ada, as_person, chat):
    answer(chat, "", Run.Status.FAILED, "unreachable")

    page = as_person(ada).get(f"/c/{chat.pk}/").content.decode()

    assert "cannot be reached" in page
    assert "Try again" in page


def test_what_was_said_before_a_stop_is_kept(ada, as_person, chat):
    answer(chat, "The Oeschinen", Run.Status.CANCELLED)

    page = as_person(ada).get(f"/c/{chat.pk}/").content.decode()

    assert "The Oeschinen" in page
    assert "You stopped this answer." in page


def test_a_stop_ends_a_waiting_run(ada, as_person, chat):
    run = turns.latest_run(chat)

    assert as_person(ada).post(f"/runs/{run.pk}/cancellation/").status_code == 204
    run.refresh_from_db()
    assert run.status == Run.Status.CANCELLED


def test_the_answer_can_be_fetched_when_the_stream_is_gone(ada, as_person, chat):
    client = as_person(ada)
    address = f"/runs/{turns.latest_run(chat).pk}/answer/"

    assert b"<run-stream" in client.get(address).content
    answer(chat)
    assert b"The Oeschinen shore." in client.get(address).content


def test_cleo_sees_nothing_of_adas_chat(cleo, as_person, chat):
    client, run = as_person(cleo), turns.latest_run(chat)

    assert client.get(f"/c/{chat.pk}/").status_code == 404
    assert client.get(f"/c/{chat.pk}/title/").status_code == 404
    assert client.get(f"/c/{chat.pk}/older/").status_code == 404
    assert client.post(f"/c/{chat.pk}/messages/", {"text": "?"}).status_code == 404
    assert client.post(f"/c/{chat.pk}/regeneration/").status_code == 404
    assert client.post(f"/runs/{run.pk}/cancellation/").status_code == 404
    assert client.get(f"/runs/{run.pk}/answer/").status_code == 404


def test_the_owner_of_a_gpt_cannot_read_the_chats_of_others(ada, ben, as_person):
    gpt = world.shared_trail_planner(ada)
    access.remember_visit(gpt, ben)
    as_person(ben).post(reverse("conversations:start", args=[gpt.pk]), {"text": "Mine"})

    thread = Thread.objects.of(ben).get()

    assert as_person(ada).get(f"/c/{thread.pk}/").status_code == 404


def test_a_private_gpt_cannot_be_chatted_with_by_others(ada, ben, as_person):
    gpt = world.trail_planner(ada)

    assert as_person(ada).get(f"/gpts/{gpt.pk}/chat/").status_code == 200
    assert as_person(ben).get(f"/gpts/{gpt.pk}/chat/").status_code == 404
    assert as_person(ben).post(f"/gpts/{gpt.pk}/chats/", {"text": "?"}).status_code == 404


def test_a_link_shows_the_gpt_to_a_stranger_and_makes_a_guest_with_the_first_message(ada):
    gpt = world.shared_trail_planner(ada)
    client = Client()

    page = client.get(f"/g/{gpt.link_token}/").content.decode()
    response = client.post(f"/g/{gpt.link_token}/chats/", {"text": "Where to on Sunday?"})

    thread = Thread.objects.get()
    assert "Trail Planner" in page
    assert "by Ada" in page
    assert "ada@example.org" not in page
    assert 'id="sidebar"' not in page
    assert thread.owner.is_guest
    assert client.get(response["HX-Push-Url"]).status_code == 200


def test_looking_at_a_link_makes_no_guest(ada, django_user_model):
    gpt = world.shared_trail_planner(ada)

    Client().get(f"/g/{gpt.link_token}/")

    assert not django_user_model.objects.filter(kind="guest").exists()


def test_a_link_that_has_ended_is_a_404(ada):
    gpt = world.shared_trail_planner(ada)
    token = gpt.link_token
    access.revoke_link(gpt)

    assert Client().get(f"/g/{token}/").status_code == 404
    assert Client().post(f"/g/{token}/chats/", {"text": "?"}).status_code == 404


def test_a_chat_whose_link_has_ended_stays_readable_and_says_so(ada, ben, as_person):
    gpt = world.shared_trail_planner(ada)
    access.remember_visit(gpt, ben)
    client = as_person(ben)
    client.post(reverse("conversations:start", args=[gpt.pk]), {"text": "Mine"})
    thread = Thread.objects.of(ben).get()
    answer(thread)
    access.revoke_link(gpt)

    assert client.get(f"/c/{thread.pk}/").status_code == 200
    refusal = client.post(f"/c/{thread.pk}/messages/", {"text": "More"})
    assert refusal.status_code == 422
    assert b"not shared with you" in refusal.content


def test_another_tab_gets_the_conversation_alone(ada, as_person, chat):
    response = as_person(ada).get(f"/c/{chat.pk}/", headers={"HX-Request": "true"})

    assert b'id="pane-chat"' in response.content
    assert b"<html" not in response.content


@pytest.mark.parametrize("turns_before", [1, 6])
def test_the_chat_page_asks_the_database_few_times(ada, as_person, django_assert_max_num_queries, turns_before):
    gpt = world.trail_planner(ada)
    thread = turns.start_thread(ada, gpt)
    for number in range(turns_before):
        turns.start_turn(thread, ada, f"Question {number}", timezone.now())
        thread = Thread.objects.get(pk=thread.pk)
        answer(thread)
    client = as_person(ada)
    # The first request of a session is noted.
    client.get("/c/")

    with django_assert_max_num_queries(12):
        client.get(f"/c/{thread.pk}/")


def test_chats_are_grouped_by_day():
    now = datetime(2026, 3, 20, 12, tzinfo=UTC)
    ages = [timedelta(hours=1), timedelta(days=1), timedelta(days=3), timedelta(days=7), timedelta(days=30)]

    groups = sidebar.grouped([Thread(updated_at=now - age) for age in ages], date(2026, 3, 20))

    assert [(str(group.label), len(group.threads)) for group in groups] == [
        ("Today", 1),
        ("Yesterday", 1),
        ("Last week", 2),
        ("Older", 1),
    ]


def test_older_chats_come_on_request(ada, as_person, monkeypatch):
    monkeypatch.setattr(sidebar, "CHATS_MOST", 2)
    for number in range(3):
        thread = turns.start_thread(ada, builtin.default_gpt())
        turns.start_turn(thread, ada, f"Question {number}", timezone.now())
    client = as_person(ada)

    page = client.get("/c/").content.decode()
    last = Thread.objects.of(ada).chats()[1]
    older = client.get(f"/c/{last.pk}/older/").content.decode()

    assert f"/c/{last.pk}/older/" in page
    assert "Question 0" not in page
    assert "Question 0" in older
