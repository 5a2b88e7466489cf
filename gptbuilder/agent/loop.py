"""The agent loop: ask the model, run the tools it asks for, repeat.

One pure generator. Everything needed to resume is in the message history, so a pause is a return and a resume is
another call. New powers are tools; this file never grows.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from gptbuilder.agent.events import (
    Event,
    Finished,
    ModelFinished,
    ModelStarted,
    Paused,
    ToolFinished,
    ToolStarted,
)
from gptbuilder.agent.tool import NeedsInput, Tool, ToolOutput, perform, spec
from gptbuilder.gateway.types import (
    AssistantMessage,
    Completion,
    Delta,
    Message,
    TextDelta,
    ToolCall,
    ToolMessage,
    ToolSpec,
)


class Model(Protocol):
    """Answers by a stream of text deltas and, last, one completion. Leaving the context closes it."""

    def stream(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], tool_choice: str = "auto"
    ) -> AbstractContextManager[Iterator[Delta]]: ...


def run(
    model: Model, messages: Sequence[Message], tools: Sequence[Tool], *, max_steps: int = 10, tool_choice: str = "auto"
) -> Generator[Event, None, None]:
    """Go on with a conversation until the model has answered, somebody's input is needed, or `max_steps`
    model calls were made. The last event is `Finished` or `Paused`.

    Tool calls at the end of `messages` that have no answer yet are run first: that is how a paused or
    interrupted run resumes. `tool_choice` holds for the first model call; later ones choose freely,
    unless it is "none". Errors of the model and unexpected errors of a tool propagate.
    Closing the generator closes the model's stream.
    """
    history = list(messages)
    by_name = {tool.name: tool for tool in tools}

    if (yield from _run_tools(_unanswered(history), by_name, history)):
        return
    for step in range(1, max_steps + 1):
        yield ModelStarted(step)
        completion = yield from _ask(model, history, [spec(tool) for tool in tools], tool_choice)
        yield ModelFinished(step, completion)
        history.append(AssistantMessage(completion.text, completion.tool_calls))
        if not completion.tool_calls:
            yield Finished("stop" if completion.finish_reason == "tool_calls" else completion.finish_reason)
            return
        if (yield from _run_tools(completion.tool_calls, by_name, history)):
            return
        # A forced choice was obeyed once; forcing it again would never end.
        tool_choice = "none" if tool_choice == "none" else "auto"
    yield Finished("too_many_steps")


def _ask(
    model: Model, history: Sequence[Message], specs: Sequence[ToolSpec], tool_choice: str
) -> Generator[TextDelta, None, Completion]:
    with model.stream(tuple(history), specs, tool_choice) as stream:
        for delta in stream:
            match delta:
                case TextDelta():
                    yield delta
                case Completion():
                    return delta
    raise RuntimeError("The model's stream ended without a completion.")


def _run_tools(
    calls: Sequence[ToolCall], tools: Mapping[str, Tool], history: list[Message]
) -> Generator[Event, None, bool]:
    """Answer what can be answered now, into `history`; true when that ended the run (a pause, a final output)."""
    waiting: list[tuple[ToolCall, NeedsInput]] = []
    answer: ToolOutput | None = None
    for call in calls:
        yield ToolStarted(call)
        match perform(call, tools):
            case ToolOutput() as output:
                history.append(ToolMessage(call.id, call.name, output.text))
                yield ToolFinished(call, output)
                answer = output if output.is_final else answer
            case NeedsInput() as need:
                waiting.append((call, need))
    if waiting:
        yield Paused(tuple(waiting))
    elif answer:
        yield TextDelta(answer.text)
        yield Finished("stop")
    return bool(waiting or answer)


def _unanswered(history: Sequence[Message]) -> tuple[ToolCall, ...]:
    answered: set[str] = set()
    for message in reversed(history):
        match message:
            case ToolMessage(call_id=call_id):
                answered.add(call_id)
            case AssistantMessage(tool_calls=calls):
                return tuple(call for call in calls if call.id not in answered)
            case _:
                return ()
    return ()
