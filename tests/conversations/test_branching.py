"""Other words for an earlier message, and moving between branches."""

from __future__ import annotations

import threading

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from gptbuilder.conversations import pages, turns
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import builtin
from tests.conversations.test_turns import answered, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread(ada) -> Thread:
    """Two questions, each answered."""
    thread = turns.start_thread(ada, builtin.default_gpt())
    answered(say(thread, ada, "One?"), "One.")
    answered(say(thread, ada, "Two?"), "Two.")
    return Thread.objects.get(pk=thread.pk)


def said(thread: Thread) -> list[str]:
    return [message.text for message in Thread.objects.get(pk=thread.pk).path()]


def message(thread: Thread, text: str) -> Message:
    return thread.messages.select_related("thread").get(text=text)


def edit(thread: Thread, text: str, other: str) -> Run:
    return turns.edit(message(thread, text), thread.owner, other, timezone.now())


def test_an_edit_is_a_sibling_with_a_run_of_its_own(thread):
    run = edit(thread, "One?", "Eins?")

    assert run.question.parent is None
    assert run.status == "queued"
    assert said(thread) == ["Eins?"]
    assert message(thread, "Two.").parent.parent.text == "One."


def test_moving_shows_what_was_said_last_on_that_branch(thread):
    answered(edit(thread, "One?", "Eins?"), "Eins.")

    turns.show_branch(thread, message(thread, "One?").pk)
    assert said(thread) == ["One?", "One.", "Two?", "Two."]
    turns.show_branch(thread, message(thread, "Eins?").pk)
    assert said(thread) == ["Eins?", "Eins."]


def test_a_path_knows_the_place_of_each_message_and_asks_at_most_three_times(thread, django_assert_max_num_queries):
    answered(edit(thread, "One?", "Eins?"), "Eins.")
    thread = Thread.objects.get(pk=thread.pk)

    with django_assert_max_num_queries(3):
        path = thread.path()
        places = [(found.place.number, found.place.total) for found in path]

    assert places == [(2, 2), (1, 1)]
    assert path[0].place.earlier == message(thread, "One?").pk
    assert path[0].place.later == ""


def test_another_answer_has_its_place_beside_the_first(thread, ada):
    run = turns.regenerate(thread, ada, timezone.now())
    second = answered(run, "Two again.")

    line = pages.lines(Thread.objects.get(pk=thread.pk))[-1]

    assert (line["message"].place.number, line["message"].place.total) == (2, 2)
    turns.show_branch(thread, second.place.earlier if second.place else message(thread, "Two.").pk)
    assert said(thread)[-1] == "Two."


def test_an_answer_that_failed_leads_back_to_the_one_before(thread, ada, as_person):
    run = turns.regenerate(thread, ada, timezone.now())
    Run.objects.filter(pk=run.pk).update(status="failed", error_code="unreachable")

    page = as_person(ada).get(f"/c/{thread.pk}/").content.decode()

    assert "2 / 2" in page
    assert f"/messages/{message(thread, 'Two.').pk}/branch/" in page


def test_nothing_moves_while_an_answer_is_written(thread, ada):
    edit(thread, "Two?", "Zwei?")

    for attempt in (
        lambda: turns.show_branch(thread, message(thread, "Two?").pk),
        lambda: edit(thread, "One?", "Eins?"),
    ):
        with pytest.raises(turns.TurnRefused) as refused:
            attempt()
        assert refused.value.code == "busy"
    assert said(thread) == ["One?", "One.", "Zwei?"]


@pytest.mark.parametrize(("text", "code"), [("  ", "empty"), ("x" * 32_001, "too_long")])
def test_an_edit_to_nothing_or_too_much_is_refused(thread, text, code):
    with pytest.raises(turns.TurnRefused) as refused:
        edit(thread, "One?", text)

    assert refused.value.code == code
    assert thread.messages.count() == 4


def test_an_edit_counts_against_the_limit(thread, settings):
    settings.MESSAGES_PER_HOUR = 0

    with pytest.raises(turns.TurnRefused) as refused:
        edit(thread, "One?", "Eins?")
    assert refused.value.code == "limit"


@pytest.mark.django_db(transaction=True)
def test_of_two_edits_at_once_one_is_refused(ada):
    thread = turns.start_thread(ada, builtin.default_gpt())
    answered(say(thread, ada, "One?"), "One.")
    outcomes: list[str] = []
    both = threading.Barrier(2)

    def attempt(text: str) -> None:
        try:
            found = message(thread, "One?")
            both.wait()
            turns.edit(found, ada, text, timezone.now())
            outcomes.append("done")
        except turns.TurnRefused as refusal:
            outcomes.append(refusal.code)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=attempt, args=[text]) for text in ("Eins?", "Uno?")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(outcomes) == ["busy", "done"]
    assert thread.runs.active().count() == 1
    assert thread.messages.count() == 3


# --- Addresses -----------------------------------------------------------------------------------


def test_the_form_has_the_old_words_and_its_answer_changes_the_conversation(thread, ada, as_person):
    client, address = as_person(ada), f"/messages/{message(thread, 'One?').pk}/edition/"

    form = client.get(address).content.decode()
    response = client.post(address, {"text": "Eins?"})

    assert ">One?</textarea>" in form
    assert (response.status_code, response["HX-Trigger"]) == (204, "conversation-changed")
    assert said(thread) == ["Eins?"]


def test_an_answer_cannot_be_edited(thread, ada, as_person):
    address = f"/messages/{message(thread, 'One.').pk}/edition/"

    assert as_person(ada).get(address).status_code == 404
    assert as_person(ada).post(address, {"text": "I never said that."}).status_code == 404


def test_arrows_stand_only_where_there_is_more_than_one_version(thread, ada, as_person):
    client = as_person(ada)
    before = client.get(f"/c/{thread.pk}/").content.decode()
    answered(edit(thread, "Two?", "Zwei?"), "Zwei.")
    after = client.get(f"/c/{thread.pk}/").content.decode()

    assert 'class="branches"' not in before
    assert after.count('class="branches"') == 1
    assert "Version 2 of 2" in after


def test_an_arrow_moves_and_is_refused_while_an_answer_is_written(thread, ada, as_person):
    run = edit(thread, "Two?", "Zwei?")
    client, address = as_person(ada), f"/messages/{message(thread, 'Two?').pk}/branch/"

    refusal = client.post(address)
    answered(run, "Zwei.")
    moved = client.post(address)

    assert (refusal.status_code, refusal["HX-Retarget"]) == (409, "#trouble-chat")
    assert (moved.status_code, moved["HX-Trigger"]) == (204, "conversation-changed")
    assert said(thread)[-1] == "Two."


def test_a_stranger_finds_no_message(thread, cleo, as_person):
    found = message(thread, "One?")

    for client in (as_person(cleo), Client()):
        assert client.get(f"/messages/{found.pk}/").status_code == 404
        assert client.get(f"/messages/{found.pk}/edition/").status_code == 404
        assert client.post(f"/messages/{found.pk}/edition/", {"text": "?"}).status_code == 404
        assert client.post(f"/messages/{found.pk}/branch/").status_code == 404
    assert len(said(thread)) == 4
