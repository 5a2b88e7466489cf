"""Stored messages as model messages, fitted to the window."""

from __future__ import annotations

from datetime import UTC, datetime

from gptbuilder.conversations import history
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.gateway.types import AssistantMessage, SystemMessage, ToolCall, ToolMessage, UserMessage

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def words(text: str) -> int:
    return len(text.split())


def call_step(call_id: str, *, answered: bool) -> RunStep:
    return RunStep(
        kind=RunStep.Kind.TOOL,
        call_id=call_id,
        tool="look",
        arguments="{}",
        output="seen" if answered else "",
        started_at=NOW,
        finished_at=NOW if answered else None,
    )


def said(text: str) -> RunStep:
    return RunStep(kind=RunStep.Kind.MESSAGE, text=text, started_at=NOW, finished_at=NOW)


def test_calls_belong_to_the_message_that_made_them():
    steps = [said("Let me look."), call_step("a", answered=True), call_step("b", answered=True), said("Done.")]

    messages = history.of_steps(steps)

    assert messages == [
        AssistantMessage("Let me look.", (ToolCall("a", "look", "{}"), ToolCall("b", "look", "{}"))),
        ToolMessage("a", "look", "seen"),
        ToolMessage("b", "look", "seen"),
        AssistantMessage("Done."),
    ]


def test_a_call_without_a_stored_output_stays_unanswered():
    messages = history.of_steps([said(""), call_step("a", answered=True), call_step("b", answered=False)])

    assert [message.call_id for message in messages if isinstance(message, ToolMessage)] == ["a"]


def test_equal_messages_keep_their_own_calls():
    messages = history.of_steps(
        [said("Again."), call_step("a", answered=True), said("Again."), call_step("b", answered=True)]
    )

    assert [message.tool_calls[0].id for message in messages if isinstance(message, AssistantMessage)] == ["a", "b"]


def test_the_oldest_turns_are_left_out_whole():
    turns = [
        message for number in range(50) for message in (UserMessage(f"q{number} " * 10), AssistantMessage("a " * 10))
    ]

    fitted = history.fit("Be kind.", turns, 400, None, words)

    assert fitted[0] == SystemMessage("Be kind.")
    assert isinstance(fitted[1], UserMessage)
    assert fitted[-2:] == turns[-2:]
    assert sum(words(message.text) for message in fitted) < 300


def test_one_message_longer_than_the_window_is_cut_in_its_middle():
    text = "begin " + "word " * 5000 + "end"

    fitted = history.fit("Be kind.", [UserMessage(text)], 1000, None, words)

    assert fitted[1].text.startswith("begin") and fitted[1].text.endswith("end")
    assert words(fitted[1].text) <= 700


def test_instructions_longer_than_the_window_leave_room_for_the_question():
    fitted = history.fit("rule " * 5000, [UserMessage("Where to?")], 1000, None, words)

    assert fitted[-1] == UserMessage("Where to?")
    assert words(fitted[0].text) <= 400
