"""A model of the gateway as the agent loop wants it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from gptbuilder.gateway import chat
from gptbuilder.gateway.chat import ChatStream
from gptbuilder.gateway.constrained import ConstrainedStream
from gptbuilder.gateway.errors import Closed
from gptbuilder.gateway.types import ChatRequest, Message, ModelEntry, ToolSpec


class ChatModel:
    """Answers with `entry`, by its own tool calling or, where that does not work, by constrained output.

    `close` may be called by any thread: it ends the stream under way and every later one with Closed.
    """

    def __init__(self, entry: ModelEntry, temperature: float | None = None, seed: int | None = None) -> None:
        self._entry = entry
        self._temperature = temperature
        self._seed = seed
        self._lock = threading.Lock()
        self._stream: ChatStream | ConstrainedStream | None = None
        self._is_closed = False

    def stream(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], tool_choice: str = "auto"
    ) -> ChatStream | ConstrainedStream:
        request = ChatRequest(
            tuple(messages), tuple(tools), tool_choice, temperature=self._temperature, seed=self._seed
        )
        with self._lock:
            if self._is_closed:
                raise Closed
            self._stream = self._open(request)
            return self._stream

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            if self._stream is not None:
                self._stream.close()

    def _open(self, request: ChatRequest) -> ChatStream | ConstrainedStream:
        if self._entry.tools:
            return chat.stream(self._entry, request)
        return ConstrainedStream(self._entry, request)
