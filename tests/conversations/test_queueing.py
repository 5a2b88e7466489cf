"""Messages that wait for the answer before them."""

from __future__ import annotations

import asyncio
import threading

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from gptbuilder.conversations import execution, pages, queueing, reaper, recorder, turns
from gptbuilder.conversations.models.queued import QueuedMessage
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gateway.types import Completion
from gptbuilder.gpts import access, builtin
from tests import upstream as scripted
from tests import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def thread(ada) -> Thread:
    """Ada asked; the answer is not there yet."""
    thread = turns.start_thread(ada, builtin.default_gpt())
    turns.start_turn(thread, ada, "One?", timezone.now())
    return Thread.objects.select_related("owner", "workspace", "gpt").get(pk=thread.pk)


def say(thread: Thread, text: str) -> Run | QueuedMessage:
    return queueing.say(thread, thread.owner, text, timezone.now())


def waiting(thread: Thread) -> list[str]:
    return list(thread.queued.values_list("text", flat=True))


def said(thread: Thread) -> list[str]:
    return [message.text for message in Thread.objects.get(pk=thread.pk).path()]


def end(thread: Thread, status: str = Run.Status.COMPLETED, text: str = "An answer.") -> None:
    """A worker takes the active run and ends it."""
    run = recorder.claim(thread.runs.active().get().pk)
    recorder.finish(run, status, completion=Completion(text) if text else None)


def test_a_message_waits_while_an_answer_is_made_and_is_a_turn_otherwise(thread):
    first = say(thread, "Two?")
    Run.objects.filter(thread=thread).update(status="completed")
    second = say(thread, "Three?")

    assert isinstance(first, QueuedMessage)
    assert isinstance(second, Run)


def test_waiting_messages_are_sent_one_by_one_in_order(thread, upstream):
    say(thread, "Two?")
    say(thread, "Three?")
    upstream.script(scripted.Text("One."), scripted.Text("Two."), scripted.Text("Three."))

    while run := thread.runs.active().first():
        execution.execute(run.pk)

    assert said(thread) == ["One?", "One.", "Two?", "Two.", "Three?", "Three."]
    assert waiting(thread) == []
    assert thread.runs.count() == 3


@pytest.mark.parametrize("status", [Run.Status.FAILED, Run.Status.CANCELLED])
def test_after_a_failure_or_a_stop_they_wait_until_they_are_sent(thread, status):
    say(thread, "Two?")
    end(thread, status)

    assert waiting(thread) == ["Two?"]
    assert not thread.runs.active().exists()

    run = queueing.send_first(thread, timezone.now())

    assert run.question.text == "Two?"
    assert waiting(thread) == []


def test_an_answer_cut_by_a_limit_and_one_without_words_go_on(thread):
    say(thread, "Two?")
    say(thread, "Three?")

    end(thread, Run.Status.INCOMPLETE)
    end(thread, Run.Status.COMPLETED, "")

    assert waiting(thread) == []
    assert thread.runs.active().get().question.text == "Three?"


def test_a_killed_worker_neither_loses_nor_repeats_what_waits(thread):
    say(thread, "Two?")
    run = thread.runs.get()
    killed = recorder.claim(run.pk)
    Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - 2 * reaper.SILENT)
    reaper.recover(timezone.now())
    second = recorder.claim(run.pk)

    with pytest.raises(recorder.Superseded):
        recorder.finish(killed, Run.Status.COMPLETED, completion=Completion("Late."))
    assert waiting(thread) == ["Two?"]
    recorder.finish(second, Run.Status.COMPLETED, completion=Completion("One."))
    with pytest.raises(recorder.Superseded):
        recorder.finish(second, Run.Status.COMPLETED, completion=Completion("Twice."))

    assert waiting(thread) == []
    assert said(thread) == ["One?", "One.", "Two?"]
    assert thread.runs.active().count() == 1


def test_a_run_lost_three_times_leaves_the_queue_to_the_person(thread):
    say(thread, "Two?")
    thread.runs.update(status="in_progress", attempt=3, heartbeat_at=timezone.now() - 2 * reaper.SILENT)

    reaper.recover(timezone.now())

    assert waiting(thread) == ["Two?"]
    assert queueing.send_first(thread, timezone.now())


def test_two_who_press_send_now_send_one(thread):
    say(thread, "Two?")
    end(thread, Run.Status.FAILED)
    outcomes: list[str] = []
    both = threading.Barrier(2)

    def press() -> None:
        try:
            both.wait()
            queueing.send_first(thread, timezone.now())
            outcomes.append("sent")
        except turns.TurnRefused:
            outcomes.append("refused")
        finally:
            connections.close_all()

    workers = [threading.Thread(target=press) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(outcomes) == ["refused", "sent"]
    assert thread.runs.active().count() == 1


def test_messages_sent_while_the_answer_ends_are_neither_lost_nor_two_turns_at_once(thread):
    run = recorder.claim(thread.runs.get().pk)
    both = threading.Barrier(2)

    def finish() -> None:
        both.wait()
        recorder.finish(run, Run.Status.COMPLETED, completion=Completion("One."))
        connections.close_all()

    worker = threading.Thread(target=finish)
    worker.start()
    both.wait()
    say(thread, "Two?")
    say(thread, "Three?")
    worker.join()

    questions = list(thread.runs.exclude(pk=run.pk).values_list("question__text", flat=True))
    assert sorted(questions + waiting(thread)) == ["Three?", "Two?"]
    assert questions == ["Two?"]
    assert said(thread) == ["One?", "One.", "Two?"]


def test_at_most_five_wait(thread):
    for number in range(QueuedMessage.MOST):
        say(thread, f"Number {number}")

    with pytest.raises(turns.TurnRefused) as refused:
        say(thread, "One more")

    assert refused.value.code == "full"
    assert thread.queued.count() == QueuedMessage.MOST


@pytest.mark.parametrize(("text", "code"), [("  ", "empty"), ("x" * 32_001, "too_long")])
def test_what_could_not_be_said_cannot_wait(thread, text, code):
    with pytest.raises(turns.TurnRefused) as refused:
        say(thread, text)

    assert refused.value.code == code
    assert not thread.queued.exists()


def test_the_limit_of_messages_holds_for_those_that_wait(thread, settings):
    settings.MESSAGES_PER_HOUR = 1
    say(thread, "Two?")

    end(thread)

    assert waiting(thread) == ["Two?"]
    assert said(thread) == ["One?", "An answer."]
    with pytest.raises(turns.TurnRefused) as refused:
        queueing.send_first(thread, timezone.now())
    assert refused.value.code == "limit"
    assert waiting(thread) == ["Two?"]


def test_a_link_that_ended_meanwhile_keeps_the_answer_and_sends_nothing(ada, ben):
    gpt = world.shared_trail_planner(ada)
    access.remember_visit(gpt, ben)
    thread = turns.start_thread(ben, gpt)
    turns.start_turn(thread, ben, "One?", timezone.now())
    say(thread, "Two?")
    access.revoke_link(gpt)

    end(thread)

    assert said(thread) == ["One?", "An answer."]
    assert waiting(thread) == ["Two?"]


# --- Addresses -----------------------------------------------------------------------------------


def test_a_message_sent_meanwhile_is_shown_above_the_composer(thread, ada, as_person):
    response = as_person(ada).post(f"/c/{thread.pk}/messages/", {"text": "And in <b>rain</b>?"})

    assert response["HX-Retarget"] == "#queue-chat"
    assert b"And in &lt;b&gt;rain&lt;/b&gt;?" in response.content
    assert b"And in &lt;b&gt;rain&lt;/b&gt;?" in as_person(ada).get(f"/c/{thread.pk}/").content


def test_what_waits_can_be_changed_and_taken_out(thread, ada, as_person):
    queued, client = say(thread, "Two?"), as_person(ada)

    form = client.get(f"/queue/{queued.pk}/").content.decode()
    changed = client.post(f"/queue/{queued.pk}/", {"text": "Zwei?"}).content.decode()
    emptied = client.post(f"/queue/{queued.pk}/", {"text": " "})
    kept = waiting(thread)
    client.delete(f"/queue/{queued.pk}/")

    assert ">Two?</textarea>" in form
    assert "Zwei?" in changed
    assert emptied.status_code == 422
    assert kept == ["Zwei?"]
    assert waiting(thread) == []


def test_one_that_was_sent_meanwhile_says_so(thread, ada, as_person):
    queued = say(thread, "Two?")
    end(thread)

    response = as_person(ada).post(f"/queue/{queued.pk}/", {"text": "Zwei?"})

    assert response.status_code == 404
    assert "sent" in response["X-Problem"]
    assert said(thread)[-1] == "Two?"


def test_send_now_adds_the_turn_and_renews_the_queue(thread, ada, as_person):
    say(thread, "Two?")
    say(thread, "Three?")
    busy = as_person(ada).post(f"/c/{thread.pk}/queue/delivery/")
    end(thread, Run.Status.FAILED)

    sent = as_person(ada).post(f"/c/{thread.pk}/queue/delivery/").content.decode()

    assert busy.status_code == 409
    assert sent.count("<run-stream") == 1
    assert 'hx-swap-oob="true"' in sent
    assert "Three?" in sent.split('id="queue-chat"')[1]


def test_a_page_is_told_that_the_thread_has_gone_on(thread, ada, as_person):
    run = thread.runs.get()
    say(thread, "Two?")
    end(thread)

    answer = as_person(ada).get(f"/runs/{run.pk}/answer/").content.decode()
    stream = as_person(ada).get(f"/runs/{run.pk}/events")

    assert "data-moved" in answer
    assert "data-moved" in asyncio.run(anext(aiter(stream.streaming_content))).decode()


def test_a_page_that_was_read_while_the_answer_ended_shows_the_next_turn(thread):
    say(thread, "Two?")
    read_before = Thread.objects.select_related("owner", "gpt__draft", "gpt__live_version").get(pk=thread.pk)
    end(thread)

    lines = pages.lines(read_before)

    assert [line["message"] and line["message"].text for line in lines] == ["One?", "An answer.", "Two?", None]
    assert lines[-1]["run"].is_active


def test_a_page_is_not_told_so_when_it_has_not(thread, ada, as_person):
    run = thread.runs.get()
    end(thread)

    assert "data-moved" not in as_person(ada).get(f"/runs/{run.pk}/answer/").content.decode()


def test_a_stranger_finds_nothing_that_waits(thread, cleo, as_person):
    queued = say(thread, "Two?")

    for client in (as_person(cleo), Client()):
        assert client.get(f"/c/{thread.pk}/queue/").status_code == 404
        assert client.post(f"/c/{thread.pk}/queue/delivery/").status_code == 404
        assert client.get(f"/queue/{queued.pk}/").status_code == 404
        assert client.post(f"/queue/{queued.pk}/", {"text": "Mine"}).status_code == 404
        assert client.delete(f"/queue/{queued.pk}/").status_code == 404
    assert waiting(thread) == ["Two?"]
