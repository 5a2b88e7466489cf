"""Our requests in the words of the OpenAI protocol."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from gptbuilder.gateway.errors import Refused
from gptbuilder.gateway.types import (
    AssistantMessage,
    ChatRequest,
    Message,
    ModelEntry,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)


@dataclass(frozen=True)
class Dialect:
    """What an upstream has turned out not to understand."""

    knows_stream_options: bool = True
    knows_max_tokens: bool = True
    knows_temperature: bool = True

    def after(self, refusal: Refused) -> Dialect | None:
        """The dialect to try next when the upstream refused a parameter; None if that was not the reason."""
        words = refusal.message.lower()
        if self.knows_stream_options and ("stream_options" in words or "include_usage" in words):
            return replace(self, knows_stream_options=False)
        if self.knows_max_tokens and "max_completion_tokens" in words:
            return replace(self, knows_max_tokens=False)
        if self.knows_temperature and "temperature" in words and "support" in words:
            return replace(self, knows_temperature=False)
        return None


def chat_body(entry: ModelEntry, request: ChatRequest, dialect: Dialect) -> dict[str, Any]:
    """The JSON body of a streaming chat request. Nothing the caller left unsaid is sent."""
    body: dict[str, Any] = {
        "model": entry.name,
        "messages": [message_object(message) for message in request.messages],
        "stream": True,
    }
    if dialect.knows_stream_options:
        body["stream_options"] = {"include_usage": True}
    if request.tools:
        body["tools"] = [_tool_object(tool) for tool in request.tools]
        body["tool_choice"] = _tool_choice(request.tool_choice)
    if request.response_schema is not None:
        schema = {"name": "answer", "strict": True, "schema": request.response_schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif request.json_mode:
        body["response_format"] = {"type": "json_object"}
    if request.seed is not None:
        body["seed"] = request.seed
    if request.temperature is not None and dialect.knows_temperature:
        body["temperature"] = request.temperature
    max_tokens = entry.max_output_tokens if request.max_tokens is None else request.max_tokens
    if max_tokens is not None:
        body["max_tokens" if dialect.knows_max_tokens else "max_completion_tokens"] = max_tokens
    if request.logprobs:
        body["logprobs"] = True
        if request.top_logprobs is not None:
            body["top_logprobs"] = request.top_logprobs
    if request.stop:
        body["stop"] = list(request.stop)
    return body


def message_object(message: Message) -> dict[str, Any]:
    match message:
        case SystemMessage(text):
            return {"role": "system", "content": text}
        case UserMessage(text, ()):
            return {"role": "user", "content": text}
        case UserMessage(text, images):
            pictures = [{"type": "image_url", "image_url": {"url": image.data_url}} for image in images]
            return {"role": "user", "content": [{"type": "text", "text": text}, *pictures]}
        case AssistantMessage(text, ()):
            return {"role": "assistant", "content": text}
        case AssistantMessage(text, calls):
            return {"role": "assistant", "content": text or None, "tool_calls": [_call_object(call) for call in calls]}
        case ToolMessage(call_id, _, text):
            return {"role": "tool", "tool_call_id": call_id, "content": text}


def _call_object(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _sound(call.arguments)}}


def _sound(arguments: str) -> str:
    """The arguments as a JSON object. Upstreams that parse the history refuse it over a call the model garbled."""
    try:
        if isinstance(json.loads(arguments), dict):
            return arguments
    except (ValueError, RecursionError):
        pass
    return json.dumps({"invalid": arguments}) if arguments.strip() else "{}"


def _tool_object(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _tool_choice(choice: str) -> str | dict[str, Any]:
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}
