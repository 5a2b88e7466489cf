"""The loop, with a scripted model and scripted tools."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gptbuilder.agent import loop
from gptbuilder.agent.events import Finished, ModelFinished, ModelStarted, Paused, ToolFinished, ToolStarted
from gptbuilder.agent.tool import NeedsInput, Outcome, ToolFailure, ToolOutput
from gptbuilder.gateway.errors import Unreachable
from gptbuilder.gateway.types import AssistantMessage, Message, TextDelta, ToolMessage, ToolSpec, UserMessage
from tests.agent.scripted import ScriptedModel, ScriptedTool, call, calls, says

QUESTION: list[Message] = [UserMessage("What is the weather?")]
CONSENT = NeedsInput("consent", {"operation": "delete"})


def test_an_answer_without_tools_is_one_model_call() -> None:
    model = ScriptedModel(says("Hello Ada"))

    events = list(loop.run(model, QUESTION, []))

    assert events == [
        ModelStarted(1),
        TextDelta("Hello"),
        TextDelta("Ada"),
        ModelFinished(1, says("Hello Ada")),
        Finished("stop"),
    ]
    assert model.open_streams == 0


def test_the_answer_of_a_tool_goes_back_to_the_model() -> None:
    weather = ScriptedTool("weather", lambda arguments: ToolOutput(f"Sun in {arguments['city']}", data={"found": 1}))
    wanted = call("weather", '{"city": "Paris"}')
    model = ScriptedModel(calls(wanted, text="Looking"), says("Sun"))

    events = list(loop.run(model, QUESTION, [weather]))

    assert ToolStarted(wanted) in events
    assert ToolFinished(wanted, ToolOutput("Sun in Paris", data={"found": 1})) in events
    assert events[-1] == Finished("stop")
    assert model.asked[0].tools == (ToolSpec("weather", "A tool.", {"type": "object"}),)
    assert model.asked[1].messages == (
        *QUESTION,
        AssistantMessage("Looking", (wanted,)),
        ToolMessage("call_1", "weather", "Sun in Paris"),
    )


def test_several_calls_of_a_step_are_run_in_order() -> None:
    tool = ScriptedTool("note")
    first, second = call("note", '{"n": 1}', "a"), call("note", '{"n": 2}', "b")
    model = ScriptedModel(calls(first, second), says("Noted"))

    list(loop.run(model, QUESTION, [tool]))

    assert tool.ran == [{"n": 1}, {"n": 2}]
    answers = [message.call_id for message in model.asked[1].messages if isinstance(message, ToolMessage)]
    assert answers == ["a", "b"]


def test_it_stops_after_too_many_steps() -> None:
    model = ScriptedModel(calls(call("note")))

    events = list(loop.run(model, QUESTION, [ScriptedTool("note")], max_steps=3))

    assert events[-1] == Finished("too_many_steps")
    assert len(model.asked) == 3


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_it_says_why_an_answer_ended_early(reason: Any) -> None:
    events = list(loop.run(ScriptedModel(replace(says("Half"), finish_reason=reason)), QUESTION, []))

    assert events[-1] == Finished(reason)


# --- pausing and resuming


def test_a_tool_that_needs_input_pauses_the_run() -> None:
    wanted = call("delete")
    model = ScriptedModel(calls(wanted))

    events = list(loop.run(model, QUESTION, [ScriptedTool("delete", lambda arguments: CONSENT)]))

    assert events[-2:] == [ToolStarted(wanted), Paused(((wanted, CONSENT),))]
    assert len(model.asked) == 1


def test_the_other_calls_of_a_paused_step_are_answered() -> None:
    free, guarded, other = call("note", id="a"), call("delete", id="b"), call("delete", id="c")
    tools = [ScriptedTool("note"), ScriptedTool("delete", lambda arguments: CONSENT)]

    events = list(loop.run(ScriptedModel(calls(guarded, free, other)), QUESTION, tools))

    assert ToolFinished(free, ToolOutput("done")) in events
    assert events[-1] == Paused(((guarded, CONSENT), (other, CONSENT)))


def test_unanswered_calls_are_run_before_the_model_is_asked() -> None:
    tool = ScriptedTool("delete")
    answered, open_call = call("note", id="a"), call("delete", id="b")
    history = [*QUESTION, AssistantMessage("", (answered, open_call)), ToolMessage("a", "note", "noted")]
    model = ScriptedModel(says("Deleted"))

    events = list(loop.run(model, history, [tool]))

    assert events[:3] == [ToolStarted(open_call), ToolFinished(open_call, ToolOutput("done")), ModelStarted(1)]
    assert tool.ran == [{}]
    assert model.asked[0].messages[-1] == ToolMessage("b", "delete", "done")


def test_a_resumed_call_may_pause_again_without_asking_the_model() -> None:
    open_call = call("delete")
    model = ScriptedModel(says("never"))

    events = list(
        loop.run(
            model,
            [*QUESTION, AssistantMessage("", (open_call,))],
            [ScriptedTool("delete", lambda arguments: CONSENT)],
        )
    )

    assert events == [ToolStarted(open_call), Paused(((open_call, CONSENT),))]
    assert model.asked == []


def test_calls_answered_long_ago_are_not_run_again() -> None:
    tool = ScriptedTool("note")
    history = [*QUESTION, AssistantMessage("", (call("note"),)), UserMessage("Never mind")]

    list(loop.run(ScriptedModel(says("Fine")), history, [tool]))

    assert tool.ran == []


def test_the_callers_history_is_not_changed() -> None:
    history = list(QUESTION)

    list(loop.run(ScriptedModel(calls(call("note")), says("ok")), history, [ScriptedTool("note")]))

    assert history == QUESTION


# --- choices


def test_a_forced_choice_holds_for_the_first_step_only() -> None:
    model = ScriptedModel(calls(call("note")), says("ok"))

    list(loop.run(model, QUESTION, [ScriptedTool("note")], tool_choice="required"))

    assert [asked.tool_choice for asked in model.asked] == ["required", "auto"]


def test_a_forbidden_choice_stays_forbidden() -> None:
    model = ScriptedModel(calls(call("note")), says("ok"))

    list(loop.run(model, QUESTION, [ScriptedTool("note")], tool_choice="none"))

    assert [asked.tool_choice for asked in model.asked] == ["none", "none"]


# --- mistakes


def failing(error: Exception) -> ScriptedTool:
    def fail(arguments: dict[str, Any]) -> Outcome:
        raise error

    return ScriptedTool("fails", fail)


def told(model: ScriptedModel) -> str:
    return model.asked[-1].messages[-1].text


def test_an_invented_tool_is_answered_with_the_names_that_exist() -> None:
    model = ScriptedModel(calls(call("wether")), says("Sorry"))

    events = list(loop.run(model, QUESTION, [ScriptedTool("weather"), ScriptedTool("news")]))

    assert "'wether'" in told(model)
    assert "weather, news" in told(model)
    assert events[-1] == Finished("stop")


def test_a_tools_failure_is_told_to_the_model() -> None:
    model = ScriptedModel(calls(call("fails")), says("Sorry"))

    events = list(loop.run(model, QUESTION, [failing(ToolFailure("No such city."))]))

    assert told(model) == "No such city."
    assert ToolFinished(call("fails"), ToolOutput("No such city.", is_error=True)) in events


def test_an_unexpected_failure_of_a_tool_ends_the_run() -> None:
    with pytest.raises(ZeroDivisionError):
        list(loop.run(ScriptedModel(calls(call("fails"))), QUESTION, [failing(ZeroDivisionError())]))


def test_a_failure_of_the_model_ends_the_run_and_closes_its_stream() -> None:
    model = ScriptedModel(Unreachable("gone"))

    with pytest.raises(Unreachable):
        list(loop.run(model, QUESTION, []))

    assert model.open_streams == 0


def test_closing_the_run_closes_the_models_stream() -> None:
    model = ScriptedModel(says("one two three"))
    run = loop.run(model, QUESTION, [])
    assert next(run) == ModelStarted(1)
    assert next(run) == TextDelta("one")
    assert model.open_streams == 1

    run.close()

    assert model.open_streams == 0
