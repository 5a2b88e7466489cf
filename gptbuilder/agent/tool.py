"""What a tool is, and how one call of it is carried out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jsonschema import exceptions, validators

from gptbuilder.gateway.types import ToolCall, ToolSpec


@dataclass(frozen=True)
class ToolOutput:
    """What a tool found. `text` is for the model, `data` for the page (citations, files).

    With `is_final` the text is the answer to the person, and the model is not asked again. `kept` is stored in the
    place of the text, which must not outlive what it was made of.
    """

    text: str
    is_error: bool = False
    data: dict[str, Any] | None = None
    is_final: bool = False
    kept: str | None = None


@dataclass(frozen=True)
class NeedsInput:
    """The tool cannot go on without somebody: a consent, or the output of a caller's function."""

    kind: str
    payload: dict[str, Any]


Outcome = ToolOutput | NeedsInput


class Tool(Protocol):
    """`run` gets arguments that satisfy `parameters`, and the id of the call, which stays the same when an interrupted
    or paused call is carried out again. It raises `ToolFailure` for what the model should hear."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def parameters(self) -> dict[str, Any]: ...

    def run(self, arguments: dict[str, Any], call_id: str) -> Outcome: ...


class ToolFailure(Exception):
    """A tool's failure in words meant for the model, which may then try something else."""


def spec(tool: Tool) -> ToolSpec:
    return ToolSpec(tool.name, tool.description, tool.parameters)


def perform(call: ToolCall, tools: Mapping[str, Tool]) -> Outcome:
    """Run the tool a model asked for. Every mistake of the model comes back as an error text.

    Raises whatever the tool raises, except `ToolFailure`.
    """
    tool = tools.get(call.name)
    if tool is None:
        return _mistake(f"There is no tool named {call.name!r}. {_existing(tools)}")
    try:
        return tool.run(_arguments(call, tool), call.id)
    except ToolFailure as failure:
        return _mistake(str(failure))


def _arguments(call: ToolCall, tool: Tool) -> dict[str, Any]:
    try:
        # Models without parameters to fill in often write nothing at all.
        arguments = json.loads(call.arguments.strip() or "{}")
    except (ValueError, RecursionError) as error:
        raise ToolFailure(f"The arguments are not valid JSON: {error}. Call {tool.name} again.") from None
    if not isinstance(arguments, dict):
        raise ToolFailure(f"The arguments must be a JSON object. Call {tool.name} again.")
    problem = exceptions.best_match(_validator(tool.parameters).iter_errors(arguments))
    if problem is not None:
        raise ToolFailure(
            f"The arguments do not fit at {problem.json_path}: {problem.message[:500]}. Call {tool.name} again."
        )
    return arguments


def _validator(schema: dict[str, Any]) -> Any:
    return validators.validator_for(schema, default=validators.Draft202012Validator)(schema)


def _existing(tools: Mapping[str, Tool]) -> str:
    return f"The tools are: {', '.join(tools)}." if tools else "There are no tools; answer without."


def _mistake(text: str) -> ToolOutput:
    return ToolOutput(text, is_error=True)
