"""The words in which the rest of the application speaks with language models.

Nothing here knows a wire format; `wire.py` translates. All values are frozen.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any, Literal

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True)
class Provider:
    """An endpoint that speaks the OpenAI protocol. `base_url` ends where `/chat/completions` begins.

    `first_token_timeout_seconds` runs from the request being sent to the first content or tool
    delta; `idle_timeout_seconds` is the longest silence after that. `max_retries` counts the
    attempts after the first one.
    """

    base_url: str
    api_key: str = field(repr=False)
    connect_timeout_seconds: float = 10
    first_token_timeout_seconds: float = 120
    idle_timeout_seconds: float = 60
    max_retries: int = 2


@dataclass(frozen=True)
class ModelEntry:
    """One model of a provider and what is known about it. Prices are micro-units per million tokens.

    `tools=False` means that its own tool calling cannot be trusted: calls are then made by
    constrained output, which needs `json_schema`. Sizes are in tokens.
    """

    name: str
    provider: Provider
    context_window: int = 8192
    input_price_micros: int = 0
    output_price_micros: int = 0
    tools: bool = True
    json_schema: bool = True
    vision: bool = False
    is_demonstration: bool = False
    max_output_tokens: int | None = None


@dataclass(frozen=True)
class Image:
    media_type: str
    data: bytes = field(repr=False)

    @property
    def data_url(self) -> str:
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode('ascii')}"


@dataclass(frozen=True)
class ToolCall:
    """`arguments` is JSON text exactly as the model wrote it, so it may be anything at all."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class SystemMessage:
    text: str


@dataclass(frozen=True)
class UserMessage:
    text: str
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class AssistantMessage:
    text: str
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True)
class ToolMessage:
    """The answer to the call `call_id` of an earlier `AssistantMessage`."""

    call_id: str
    name: str
    text: str


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage


@dataclass(frozen=True)
class ToolSpec:
    """A tool as the model sees it; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class ChatRequest:
    """`tool_choice` is "auto", "none", "required" or the name of one of `tools`."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str = "auto"
    response_schema: dict[str, Any] | None = None
    json_mode: bool = False
    seed: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    logprobs: bool = False
    top_logprobs: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Usage:
    """Tokens of one or more model calls; `estimated` when an upstream did not tell."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.estimated or other.estimated,
        )


@dataclass(frozen=True)
class TextDelta:
    """The next piece of an answer: everything that arrived since the one before."""

    text: str


@dataclass(frozen=True)
class Completion:
    """A finished answer. `logprobs` holds the protocol's token objects, in order, when asked for."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason = "stop"
    usage: Usage = Usage()
    logprobs: tuple[dict[str, Any], ...] | None = None
    model: str = ""


Delta = TextDelta | Completion
