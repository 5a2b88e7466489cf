"""Carrying out one call: what reaches the tool, and what the model is told otherwise."""

from __future__ import annotations

import pytest

from gptbuilder.agent.tool import ToolOutput, perform
from tests.agent.scripted import ScriptedTool, call

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "maximum": 7}},
    "required": ["city"],
    "additionalProperties": False,
}


def weather() -> ScriptedTool:
    return ScriptedTool("weather", parameters=SCHEMA)


def test_a_tool_gets_its_arguments() -> None:
    tool = weather()

    output = perform(call("weather", '{"city": "北京", "days": 3}'), {"weather": tool})

    assert output == ToolOutput("done")
    assert tool.ran == [{"city": "北京", "days": 3}]


def test_no_arguments_at_all_are_none() -> None:
    tool = ScriptedTool("now")

    perform(call("now", " "), {"now": tool})

    assert tool.ran == [{}]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ('{"city": ', "not valid JSON"),
        ('["Paris"]', "must be a JSON object"),
        ("[" * 100_000, "not valid JSON"),
        ("{}", "'city' is a required property"),
        ('{"city": 5}', "$.city"),
        ('{"city": "Paris", "days": 9}', "$.days"),
        ('{"city": "Paris", "when": "now"}', "'when' was unexpected"),
    ],
)
def test_a_mistake_in_the_arguments_is_told_to_the_model(arguments: str, hint: str) -> None:
    tool = weather()

    output = perform(call("weather", arguments), {"weather": tool})

    assert isinstance(output, ToolOutput)
    assert output.is_error
    assert hint in output.text
    assert tool.ran == []


def test_a_model_without_tools_is_told_to_answer() -> None:
    output = perform(call("weather"), {})

    assert isinstance(output, ToolOutput)
    assert "There are no tools" in output.text
