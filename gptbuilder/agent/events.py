"""What the agent loop tells its shell. `gateway.types.TextDelta` is an event too, passed on as it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gptbuilder.agent.tool import NeedsInput, ToolOutput
from gptbuilder.gateway.types import Completion, TextDelta, ToolCall


@dataclass(frozen=True)
class ModelStarted:
    """`step` counts the model calls of this `run`, from 1."""

    step: int


@dataclass(frozen=True)
class ModelFinished:
    step: int
    completion: Completion


@dataclass(frozen=True)
class ToolStarted:
    call: ToolCall


@dataclass(frozen=True)
class ToolFinished:
    """Its answer belongs in the history as a `ToolMessage` before the loop may resume."""

    call: ToolCall
    output: ToolOutput


@dataclass(frozen=True)
class Paused:
    """The last event of a run that needs somebody's input; every other call of the step is answered."""

    calls: tuple[tuple[ToolCall, NeedsInput], ...]


@dataclass(frozen=True)
class Finished:
    """The last event of a run that came to its end."""

    reason: Literal["stop", "length", "content_filter", "too_many_steps"]


Event = TextDelta | ModelStarted | ModelFinished | ToolStarted | ToolFinished | Paused | Finished
