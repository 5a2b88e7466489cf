"""What a person can do to a thread."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gptbuilder.conversations import turns
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.gpts import access, builtin, drafts
from gptbuilder.gpts.models import GPT
from gptbuilder.usage.models import Allowance
from tests import world

pytestmark = pytest.mark.django_db


def say(thread, person, text="Where to on Sunday?"):
    return turns.start_turn(thread, person, text, timezone.now())


def answered(run: Run, text: str = "To the lake.") -> Message:
    Run.objects.filter(pk=run.pk).update(status=Run.Status.COMPLETED)
    answer = Message.objects.create(
        thread=run.thread, parent_id=run.question_id, role=Message.Role.ASSISTANT, text=text, run=run
    )
    run.thread.head = answer
    run.thread.save()
    return answer


@pytest.fixture
def thread(ada):
    return turns.start_thread(ada, builtin.default_gpt())


def test_a_message_is_stored_with_the_run_that_answers_it(thread, ada):
    run = say(thread, ada)

    thread.refresh_from_db()
    assert (run.status, run.question.text) == ("queued", "Where to on Sunday?")
    assert thread.head == run.question
    assert thread.title == "Where to on Sunday?"
    assert run.version == builtin.default_gpt().live_version


def test_a_second_message_waits_for_the_answer(thread, ada):
    say(thread, ada)

    with pytest.raises(turns.TurnRefused) as refused:
        say(thread, ada, "Hello?")

    assert refused.value.code == "busy"
    assert thread.messages.count() == 1


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty"), ("  \n\t ", "empty"), ("\x00", "empty"), ("x" * 32_001, "too_long")]
)
def test_an_empty_or_endless_message_is_refused(thread, ada, text, code):
    with pytest.raises(turns.TurnRefused) as refused:
        say(thread, ada, text)

    assert refused.value.code == code
    assert not thread.messages.exists()


def test_a_conversation_follows_the_parents_of_its_head(thread, ada):
    first = answered(say(thread, ada, "One?"), "One.")
    second = answered(say(thread, ada, "Two?"), "Two.")
    thread.refresh_from_db()

    assert [message.text for message in thread.path()] == ["One?", "One.", "Two?", "Two."]
    assert second.parent.parent == first


def test_another_answer_stands_beside_the_first(thread, ada):
    first = answered(say(thread, ada, "One?"), "One.")
    thread.refresh_from_db()

    run = turns.regenerate(thread, ada, timezone.now())

    assert run.question == first.parent
    assert [message.text for message in run.thread.path()] == ["One?"]
    assert Message.objects.filter(pk=first.pk).exists()


def test_nothing_can_be_answered_again_before_something_was_said(thread, ada):
    with pytest.raises(turns.TurnRefused):
        turns.regenerate(thread, ada, timezone.now())


def test_a_waiting_run_is_cancelled_at_once(thread, ada):
    run = say(thread, ada)

    turns.cancel(run)
    turns.cancel(run)

    run.refresh_from_db()
    assert run.status == "cancelled"
    assert turns.latest_run(thread) == run


def test_a_running_run_is_asked_to_stop(thread, ada):
    run = say(thread, ada)
    Run.objects.filter(pk=run.pk).update(status=Run.Status.IN_PROGRESS, attempt=1)

    turns.cancel(run)

    run.refresh_from_db()
    assert run.status == "cancelling"


def test_a_preview_runs_the_draft_and_a_link_the_live_version(ada, ben):
    gpt = world.shared_trail_planner(ada)
    drafts.apply(gpt.pk, {"instructions": "Something new."})
    gpt = GPT.objects.get(pk=gpt.pk)
    access.remember_visit(gpt, ben)

    preview = say(turns.start_thread(ada, gpt, purpose="preview"), ada)
    by_link = say(turns.start_thread(ben, gpt), ben)

    assert preview.version.instructions == "Something new."
    assert by_link.version == gpt.live_version


def test_an_ended_link_ends_the_use_but_not_what_was_said(ada, ben):
    gpt = world.shared_trail_planner(ada)
    access.remember_visit(gpt, ben)
    thread = turns.start_thread(ben, gpt)
    answered(say(thread, ben))

    access.revoke_link(gpt)
    thread = type(thread).objects.get(pk=thread.pk)

    with pytest.raises(turns.TurnRefused) as refused:
        say(thread, ben, "And on Monday?")
    assert refused.value.code == "gone"
    assert len(thread.path()) == 2


def test_a_link_made_anew_does_not_open_for_those_who_had_the_old_one(ada, ben):
    gpt = world.shared_trail_planner(ada)
    access.remember_visit(gpt, ben)

    access.revoke_link(gpt)
    access.share(gpt, GPT.Audience.LINK)

    assert not GPT.objects.usable_by(ben).filter(pk=gpt.pk).exists()


def test_a_stranger_to_a_gpt_cannot_talk_to_it(ada, cleo):
    gpt = world.trail_planner(ada)

    with pytest.raises(turns.TurnRefused):
        say(turns.start_thread(cleo, gpt), cleo)


def test_the_limit_of_messages_is_told_with_its_end(thread, ada, settings):
    settings.MESSAGES_PER_HOUR = 1
    answered(say(thread, ada))

    with pytest.raises(turns.TurnRefused) as refused:
        say(thread, ada)

    assert refused.value.code == "limit"
    assert "1 messages" in str(refused.value)


def test_an_allowance_raises_the_limit(thread, ada, settings):
    settings.MESSAGES_PER_HOUR = 1
    Allowance.objects.create(
        workspace=thread.workspace,
        kind=Allowance.Kind.MESSAGES_PER_HOUR,
        amount=2,
        starts_at=timezone.now() - timedelta(days=1),
        source="test",
    )
    answered(say(thread, ada))

    say(thread, ada)

    assert len(thread.path()) == 3


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Short", "Short"),
        ("First line\nSecond line", "First line"),
        ("word " * 30, "word word word word word word word word word word word word…"),
        ("山" * 100, "山" * 60 + "…"),
    ],
)
def test_a_title_is_the_persons_own_words_cut_at_a_word(text, title):
    assert turns.title_of(text) == title
