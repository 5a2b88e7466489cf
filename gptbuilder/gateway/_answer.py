"""Gathers the chunks of one streamed answer into a completion, however sloppy the upstream."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from gptbuilder.gateway.errors import Garbage
from gptbuilder.gateway.types import ChatRequest, Completion, FinishReason, ToolCall, Usage

MAX_ANSWER_CHARACTERS = 2_000_000
# Chunks wrap a few letters in a few hundred bytes.
MAX_WIRE_BYTES = 100 * MAX_ANSWER_CHARACTERS

FINISH_REASONS: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


@dataclass
class _Call:
    index: int | None
    id: str
    name: str
    arguments: str


class Answer:
    """`add` takes the JSON of one chunk (or of a whole, unstreamed answer) and returns the new text."""

    def __init__(self) -> None:
        self.has_begun = False
        self.finish_reason: FinishReason | None = None
        self._model = ""
        self._texts: list[str] = []
        self._calls: list[_Call] = []
        self._logprobs: list[dict[str, Any]] = []
        self._usage: Usage | None = None
        self._half_character = ""
        self._characters = 0
        self._wire_bytes = 0

    @property
    def is_empty(self) -> bool:
        return self._wire_bytes == 0

    def add(self, payload: bytes) -> str:
        """Raises Garbage for what is not the protocol or too much, ErrorReply for an error object."""
        self._wire_bytes += len(payload)
        if self._wire_bytes > MAX_WIRE_BYTES:
            raise Garbage("The answer never ends.")
        chunk = _parsed(payload)
        if chunk.get("error"):
            raise ErrorReply(chunk["error"])
        if chunk.get("usage"):
            self._usage = _usage(chunk["usage"]) or self._usage
        if not self._model and isinstance(chunk.get("model"), str):
            self._model = chunk["model"]
        choices = chunk.get("choices")
        if not choices:
            return ""
        try:
            return self._add_choice(choices[0])
        except (TypeError, AttributeError, KeyError, ValueError) as error:
            raise Garbage(f"A chunk is not of the protocol: {error}") from None

    def completion(self, request: ChatRequest) -> Completion:
        """The whole answer. Tokens are estimated, four letters each, if the upstream did not count them."""
        calls = () if self.finish_reason == "content_filter" else tuple(map(_tool_call, self._calls))
        finish_reason = self.finish_reason or "stop"
        if calls and finish_reason == "stop":
            finish_reason = "tool_calls"
        elif finish_reason == "tool_calls" and not calls:
            finish_reason = "stop"
        usage = self._usage or Usage(_estimate(_characters(request)), _estimate(self._characters), estimated=True)
        logprobs = tuple(self._logprobs) if self._logprobs else None
        return Completion("".join(self._texts), calls, finish_reason, usage, logprobs, self._model)

    def _add_choice(self, choice: dict[str, Any]) -> str:
        if choice.get("index"):
            return ""
        delta = choice.get("delta") or choice.get("message") or {}
        for call in delta.get("tool_calls") or ():
            self._add_call(call)
        # A reasoning model thinks aloud first; its thoughts are not part of the answer, but a sign of life.
        if delta.get("reasoning_content") or delta.get("reasoning"):
            self.has_begun = True
        logprobs = choice.get("logprobs")
        if logprobs:
            self._logprobs.extend(logprobs.get("content") or ())
        reason = choice.get("finish_reason")
        if reason:
            self.finish_reason = FINISH_REASONS.get(reason, "stop")
        text = delta.get("content") or delta.get("refusal")
        return self._add_text(text) if text else ""

    def _add_text(self, text: str) -> str:
        if self._half_character or not text.isascii() or "\0" in text:
            text, self._half_character = _legible(self._half_character + text)
        self._grow(len(text))
        self._texts.append(text)
        return text

    def _add_call(self, delta: dict[str, Any]) -> None:
        function = delta.get("function") or {}
        arguments = function.get("arguments") or ""
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        self._grow(len(arguments))
        call = self._call_of(delta.get("index"), delta.get("id") or "", function.get("name") or "")
        call.arguments += arguments

    def _call_of(self, index: int | None, id: str, name: str) -> _Call:
        """The call a delta goes on with, or a new one. Some upstreams number every call 0, others none."""
        same = [call for call in self._calls if call.index == index] if index is not None else self._calls[-1:]
        if same and not (name and _is_another(same[-1], index, id)):
            call = same[-1]
            call.id, call.name = call.id or id, call.name or name
        else:
            call = _Call(index, id, name, "")
            self._calls.append(call)
        return call

    def _grow(self, characters: int) -> None:
        self.has_begun = True
        self._characters += characters
        if self._characters > MAX_ANSWER_CHARACTERS:
            raise Garbage("The answer is too long.")


class ErrorReply(Exception):
    """An error object where an answer was expected."""

    def __init__(self, error: object) -> None:
        super().__init__()
        self.words = error_words(error)
        self.status = _status(error)


def error_words(error: object) -> str:
    """The words and codes of an error object, of whatever shape."""
    if not isinstance(error, dict):
        return str(error)
    words = [error.get("message"), error.get("type"), error.get("code")]
    return " · ".join(str(word) for word in words if word)


def _status(error: object) -> int:
    """The HTTP status an error object means; most hold one as `code`, OpenAI's hold a word."""
    codes = (error.get("code"), error.get("status")) if isinstance(error, dict) else ()
    for code in codes:
        if isinstance(code, int | str) and str(code).isdecimal() and 400 <= int(code) < 600:
            return int(code)
    words = error_words(error)
    if "rate_limit" in words:
        return 429
    return 400 if "invalid_request" in words else 500


def _is_another(call: _Call, index: int | None, id: str) -> bool:
    return id != call.id if id and call.id else index is None


def _parsed(payload: bytes) -> dict[str, Any]:
    try:
        # Of bytes the parser first finds out the encoding, which costs as much as the rest.
        chunk = json.loads(payload.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        raise Garbage("A chunk is not JSON.") from None
    if not isinstance(chunk, dict):
        raise Garbage("A chunk is not a JSON object.")
    return chunk


def _usage(usage: Any) -> Usage | None:
    try:
        details = usage.get("prompt_tokens_details") or {}
        cached = int(details.get("cached_tokens") or 0)
        return Usage(int(usage["prompt_tokens"]), int(usage.get("completion_tokens") or 0), cached)
    except (TypeError, AttributeError, KeyError, ValueError):
        return None


def _characters(request: ChatRequest) -> int:
    return sum(len(message.text) for message in request.messages)


def _estimate(characters: int) -> int:
    return -(-characters // 4)


def _tool_call(call: _Call) -> ToolCall:
    arguments, _ = _legible(call.arguments)
    return ToolCall(call.id or f"call_{uuid.uuid4().hex[:24]}", call.name, arguments)


def _legible(text: str) -> tuple[str, str]:
    """Text that UTF-8 and PostgreSQL can hold, and the half of a surrogate pair that may follow up.

    JavaScript servers cut a stream between the two halves of an emoji.
    """
    text = text.replace("\0", "")
    half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
    whole = text[: len(text) - len(half)]
    try:
        whole.encode()
    except UnicodeEncodeError:
        whole = whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole, half
