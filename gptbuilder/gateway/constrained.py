"""Tool use for models that cannot call tools by themselves, by output constrained to a JSON schema.

Step 1, only one of the tools' names or "answer_directly" may be written; step 2, only arguments that satisfy
the tool's schema; "answer_directly" leads to an ordinary streamed answer. The prompts of all steps begin alike and
differ in their last message, because llama.cpp keeps what it has read of a prompt's beginning.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from gptbuilder.gateway import chat
from gptbuilder.gateway.errors import Closed
from gptbuilder.gateway.types import (
    AssistantMessage,
    ChatRequest,
    Completion,
    Delta,
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

# A name that says what to do: with "none" Qwen2.5-Coder-1.5B chose right in 8 to 13 of 15 cases, with this in 14.
NO_TOOL = "answer_directly"
CHOICE_TOKENS = 64
QUOTED_CHARACTERS = 500

TOOLS_PROMPT = "The application can use these tools for you. You never write a call into an answer.\n"
NO_TOOL_PROMPT = (
    f"- {NO_TOOL}: no tool; for greetings, thanks, opinions, general knowledge, arithmetic, explaining, "
    "translating and writing."
)
# Quoting the message once more is worth more to a small model than any explanation.
CHOICE_PROMPT = (
    '(Instruction of the application.) My last message was: "{quoted}"\n'
    'Which does it need: {names}? Write {{"tool": NAME}}.'
)
ARGUMENTS_PROMPT = (
    "(Instruction of the application.) The tool {name} is used now: {description}\n"
    "Write its arguments as JSON, complete and from what was said above, by this schema:\n{schema}"
)


class ConstrainedStream:
    """The same iterator as `chat.ChatStream`, for a request with or without tools. Usage is the sum of all steps.

    When a tool has answered since the person's last message, the model answers directly unless
    `tool_choice` forces a call: small models would otherwise call the same tool for ever.
    """

    def __init__(self, entry: ModelEntry, request: ChatRequest) -> None:
        self._entry = entry
        self._request = request
        self._plain = replace(request, messages=_as_text(request), tools=(), tool_choice="auto")
        self._used = Usage()
        self._lock = threading.Lock()
        self._current: chat.ChatStream | None = None
        self._is_closed = False
        self._deltas = self._respond()

    def __iter__(self) -> Iterator[Delta]:
        return self

    def __next__(self) -> Delta:
        return next(self._deltas)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            if self._current is not None:
                self._current.close()

    def _respond(self) -> Generator[Delta, None, None]:
        tool = self._choose()
        if tool is None:
            yield from self._answer()
        else:
            yield self._call(tool)

    def _choose(self) -> ToolSpec | None:
        tools, choice = self._request.tools, self._request.tool_choice
        if not tools or choice == "none" or (choice == "auto" and _has_fresh_result(self._request.messages)):
            return None
        named = [tool for tool in tools if tool.name == choice]
        if named or (choice == "required" and len(tools) == 1):
            return (named or tools)[0]
        names = [tool.name for tool in tools] + ([NO_TOOL] if choice == "auto" else [])
        prompt = CHOICE_PROMPT.format(quoted=_last_words(self._request.messages), names=", ".join(names))
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {"tool": {"enum": names}},
            "required": ["tool"],
            "additionalProperties": False,
        }
        chosen = _tool_name(self._write(prompt, schema, CHOICE_TOKENS))
        wanted = [tool for tool in tools if tool.name == chosen]
        if not wanted and choice != "auto":
            return tools[0]
        return wanted[0] if wanted else None

    def _call(self, tool: ToolSpec) -> Completion:
        schema = json.dumps(tool.parameters, ensure_ascii=False)
        prompt = ARGUMENTS_PROMPT.format(name=tool.name, description=tool.description, schema=schema)
        arguments = self._write(prompt, tool.parameters, self._request.max_tokens)
        call = ToolCall(f"call_{uuid.uuid4().hex[:24]}", tool.name, arguments)
        return Completion("", (call,), "tool_calls", self._used, model=self._entry.name)

    def _answer(self) -> Generator[Delta, None, None]:
        for delta in self._open(self._plain):
            match delta:
                case TextDelta():
                    yield delta
                case Completion():
                    yield replace(delta, usage=self._used + delta.usage)

    def _write(self, prompt: str, schema: dict[str, Any], max_tokens: int | None) -> str:
        """What the model writes when told `prompt` and bound to `schema` (or to any JSON, if that is all it can)."""
        request = replace(
            self._plain,
            messages=(*self._plain.messages, UserMessage(prompt)),
            response_schema=schema if self._entry.json_schema else None,
            json_mode=not self._entry.json_schema,
            temperature=0,
            max_tokens=max_tokens,
            stop=(),
            logprobs=False,
            top_logprobs=None,
        )
        for delta in self._open(request):
            if isinstance(delta, Completion):
                self._used += delta.usage
                return delta.text
        raise AssertionError("A stream ends with a completion or an error.")

    def _open(self, request: ChatRequest) -> chat.ChatStream:
        with self._lock:
            if self._is_closed:
                raise Closed
            self._current = chat.stream(self._entry, request)
            return self._current


def _tool_name(text: str) -> str:
    try:
        return str(json.loads(text)["tool"])
    except (ValueError, KeyError, TypeError):
        return NO_TOOL


def _has_fresh_result(messages: Sequence[Message]) -> bool:
    for message in reversed(messages):
        if isinstance(message, UserMessage):
            return False
        if isinstance(message, ToolMessage):
            return True
    return False


def _last_words(messages: Sequence[Message]) -> str:
    said = [message.text for message in messages if isinstance(message, UserMessage)]
    return said[-1][-QUOTED_CHARACTERS:] if said else ""


def _as_text(request: ChatRequest) -> tuple[Message, ...]:
    """The history without tool calls, the tools described in the system message, results told by the user."""
    arguments = {
        call.id: call.arguments
        for message in request.messages
        if isinstance(message, AssistantMessage)
        for call in message.tool_calls
    }
    system = [message.text for message in request.messages if isinstance(message, SystemMessage)]
    if request.tools and request.tool_choice != "none":
        listed = [f"- {tool.name}: {tool.description}" for tool in request.tools]
        system.append(TOOLS_PROMPT + "\n".join([*listed, NO_TOOL_PROMPT]))
    plain: list[Message] = [SystemMessage("\n\n".join(system))] if system else []
    for message in request.messages:
        match message:
            case UserMessage():
                plain.append(message)
            case AssistantMessage(text) if text:
                plain.append(AssistantMessage(text))
            case ToolMessage(call_id, name, text):
                plain.append(UserMessage(_told(name, arguments.get(call_id, ""), text)))
            case _:
                pass
    return tuple(plain)


def _told(name: str, arguments: str, text: str) -> str:
    """A result as a message. The model never sees itself write a call, so it does not learn to."""
    return f"(Result of the tool {name}, called with {arguments or '{}'}. Use it to answer me.)\n{text}"
