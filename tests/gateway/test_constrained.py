"""Tools for a model that cannot call them: constrained steps against a real loopback server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gptbuilder.agent import loop
from gptbuilder.agent.events import Finished, ModelFinished
from gptbuilder.gateway.errors import Closed
from gptbuilder.gateway.model import ChatModel
from gptbuilder.gateway.types import (
    AssistantMessage,
    Completion,
    Message,
    ModelEntry,
    SystemMessage,
    TextDelta,
    ToolCall,
    ToolMessage,
    ToolSpec,
    Usage,
    UserMessage,
)
from tests.agent.scripted import ScriptedTool
from tests.upstream import Hang, Json, ScriptedUpstream, Text

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = (ToolSpec("weather", "The weather of a city.", CITY), ToolSpec("news", "Today's news.", {"type": "object"}))
QUESTION: tuple[Message, ...] = (SystemMessage("Be kind."), UserMessage("Is it raining in Paris?"))


@pytest.fixture
def small(entry: ModelEntry) -> ModelEntry:
    return replace(entry, tools=False)


def answered(entry: ModelEntry, messages: tuple[Message, ...] = QUESTION, choice: str = "auto") -> Completion:
    with ChatModel(entry).stream(messages, TOOLS, choice) as stream:
        *_, last = stream
    assert isinstance(last, Completion)
    return last


def allowed_tools(request: dict[str, Any]) -> list[str]:
    return list(request["response_format"]["json_schema"]["schema"]["properties"]["tool"]["enum"])


def test_a_call_is_a_choice_and_then_its_arguments(upstream: ScriptedUpstream, small: ModelEntry) -> None:
    upstream.script(Json({"tool": "weather"}), Json({"city": "Paris"}))

    completion = answered(small)

    (call,) = completion.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Paris"})
    assert completion.finish_reason == "tool_calls"
    choice, arguments = upstream.requests
    assert allowed_tools(choice) == ["weather", "news", "answer_directly"]
    assert arguments["response_format"]["json_schema"]["schema"] == CITY
    assert "tools" not in choice


def test_without_a_tool_the_answer_streams_as_ever(upstream: ScriptedUpstream, small: ModelEntry) -> None:
    upstream.script(Json({"tool": "answer_directly"}), Text("It is not.", token_delay=0.05))

    with ChatModel(small).stream(QUESTION, TOOLS) as stream:
        *deltas, last = stream

    assert len(deltas) > 1
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == "It is not."
    assert isinstance(last, Completion)
    assert last.text == "It is not."
    assert "response_format" not in upstream.requests[1]


def test_usage_is_the_sum_of_the_steps(upstream: ScriptedUpstream, small: ModelEntry) -> None:
    upstream.script(Json({"tool": "answer_directly"}), Text("It is not."))

    completion = answered(small)

    sent = [sum(len(str(m["content"]).split()) for m in request["messages"]) for request in upstream.requests]
    assert completion.usage == Usage(sum(sent), 4 + 3)


def test_all_steps_begin_with_the_same_messages(upstream: ScriptedUpstream, small: ModelEntry) -> None:
    upstream.script(Json({"tool": "weather"}), Json({"city": "Paris"}))
    answered(small)
    upstream.script(Json({"tool": "answer_directly"}), Text("No."))
    answered(small)

    choice, arguments, again, answer = (request["messages"] for request in upstream.requests)

    assert choice[:-1] == arguments[:-1] == again[:-1] == answer
    assert answer[0]["content"].startswith("Be kind.")
    assert answer[1] == {"role": "user", "content": "Is it raining in Paris?"}


def test_a_required_choice_offers_no_way_out(upstream: ScriptedUpstream, small: ModelEntry) -> None:
    upstream.script(Json({"tool": "news"}), Json({}))

    completion = answered(small, choice="required")

    assert completion.tool_calls[0].name == "news"
    assert allowed_tools(upstream.requests[0]) == ["weather", "news"]


def test_a_named_tool_needs_no_choice(upstream: ScriptedUpstream, small: ModelEntry) -> None:
    upstream.script(Json({"city": "Paris"}))

    completion = answered(small, choice="weather")

    assert completion.tool_calls[0].name == "weather"
    assert len(upstream.requests) == 1


def test_forbidden_tools_are_not_chosen(upstream: ScriptedUpstream, small: ModelEntry) -> None:
    upstream.script(Text("No."))

    assert answered(small, choice="none").text == "No."


def called_and_told() -> tuple[Message, ...]:
    call = ToolCall("call_1", "weather", '{"city": "Paris"}')
    return (*QUESTION, AssistantMessage("", (call,)), ToolMessage("call_1", "weather", "Rain all day."))


def test_after_a_result_the_model_answers_directly(upstream: ScriptedUpstream, small: ModelEntry) -> None:
    upstream.script(Text("It rains."))

    assert answered(small, called_and_told()).text == "It rains."
    assert len(upstream.requests) == 1


def test_after_a_result_a_forced_call_is_still_made(upstream: ScriptedUpstream, small: ModelEntry) -> None:
    upstream.script(Json({}))

    assert answered(small, called_and_told(), "news").tool_calls[0].name == "news"


def test_the_next_message_of_the_person_may_use_tools_again(upstream: ScriptedUpstream, small: ModelEntry) -> None:
    upstream.script(Json({"tool": "weather"}), Json({"city": "Rome"}))
    history = (*called_and_told(), AssistantMessage("It rains."), UserMessage("And in Rome?"))

    assert answered(small, history).tool_calls[0].name == "weather"


def test_calls_and_results_are_plain_text_for_such_a_model(upstream: ScriptedUpstream, small: ModelEntry) -> None:
    upstream.script(Text("It rains."))

    answered(small, called_and_told())

    messages = upstream.requests[0]["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "user"]
    assert "Rain all day." in messages[-1]["content"]
    assert '{"city": "Paris"}' in messages[-1]["content"]


def test_a_model_without_schemas_is_bound_to_json(upstream: ScriptedUpstream, small: ModelEntry) -> None:
    upstream.script(Json({"tool": "weather"}), Json({"city": "Paris"}))

    completion = answered(replace(small, json_schema=False))

    assert completion.tool_calls[0].name == "weather"
    assert {request["response_format"]["type"] for request in upstream.requests} == {"json_object"}


@pytest.mark.parametrize("reply", [Text("I would say weather"), Json({"tool": "invented"}), Json(["weather"])])
def test_a_choice_that_makes_no_sense_is_no_tool(
    upstream: ScriptedUpstream, small: ModelEntry, reply: Text | Json
) -> None:
    upstream.script(reply, Text("An answer."))

    assert answered(small).text == "An answer."


def test_a_model_with_working_tools_is_given_them(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    answered(entry)

    assert len(upstream.requests[0]["tools"]) == 2


def test_the_agent_loop_runs_on_such_a_model(upstream: ScriptedUpstream, small: ModelEntry) -> None:
    weather = ScriptedTool("weather", parameters=CITY)
    upstream.script(Json({"tool": "weather"}), Json({"city": "Paris"}), Text("It rains."))

    events = list(loop.run(ChatModel(small), QUESTION, [weather]))

    assert weather.ran == [{"city": "Paris"}]
    assert [event.completion.text for event in events if isinstance(event, ModelFinished)] == ["", "It rains."]
    assert events[-1] == Finished("stop")


@pytest.mark.parametrize("hung", [0, 1])
def test_closing_reaches_the_step_under_way(upstream: ScriptedUpstream, small: ModelEntry, hung: int) -> None:
    upstream.script(*[Json({"tool": "answer_directly"})][:hung], Hang(after=1))
    model = ChatModel(small)
    stream = model.stream(QUESTION, TOOLS)
    if hung:
        assert next(stream) == TextDelta("word0 ")
        model.close()
    else:
        upstream.default = lambda body: Text("never")
        model.close()

    with pytest.raises(Closed):
        next(stream)
    assert upstream.wait_for_open_connections(0)


def test_a_closed_model_answers_no_more(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    model = ChatModel(entry)
    model.close()

    with pytest.raises(Closed):
        model.stream(QUESTION, ())
    assert upstream.requests == []
