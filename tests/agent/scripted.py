"""A model and tools that do what a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gptbuilder.agent.tool import Outcome, ToolOutput
from gptbuilder.gateway.types import Completion, Delta, Message, TextDelta, ToolCall, ToolSpec, Usage


@dataclass(frozen=True)
class Asked:
    """One call of the model."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...]
    tool_choice: str


class ScriptedModel:
    """Gives its answers one after the other, then repeats the last; remembers what it was asked."""

    def __init__(self, *answers: Completion | Exception) -> None:
        self.asked: list[Asked] = []
        self.open_streams = 0
        self._answers = list(answers)

    @contextmanager
    def stream(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], tool_choice: str = "auto"
    ) -> Iterator[Iterator[Delta]]:
        self.asked.append(Asked(tuple(messages), tuple(tools), tool_choice))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self.open_streams += 1
        try:
            yield self._deltas(answer)
        finally:
            self.open_streams -= 1

    def _deltas(self, answer: Completion | Exception) -> Iterator[Delta]:
        if isinstance(answer, Exception):
            raise answer
        for word in answer.text.split():
            yield TextDelta(word)
        yield answer


@dataclass
class ScriptedTool:
    """Answers with `does`, and remembers the arguments it was run with."""

    name: str
    does: Callable[[dict[str, Any]], Outcome] = lambda arguments: ToolOutput("done")
    description: str = "A tool."
    parameters: dict[str, Any] = field(default_factory=lambda: {"type": "object"})
    ran: list[dict[str, Any]] = field(default_factory=list)

    def run(self, arguments: dict[str, Any], call_id: str) -> Outcome:
        self.ran.append(arguments)
        return self.does(arguments)


def says(text: str) -> Completion:
    return Completion(text, (), "stop", Usage(1, 1))


def calls(*wanted: ToolCall, text: str = "") -> Completion:
    return Completion(text, wanted, "tool_calls", Usage(1, 1))


def call(name: str, arguments: str = "{}", id: str = "call_1") -> ToolCall:
    return ToolCall(id, name, arguments)
