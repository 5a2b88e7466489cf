"""An embedding and reranking endpoint for tests and benchmarks: a real HTTP server whose vectors can be foreseen.

Every word is a direction of its own, and words of one line of SYNONYMS are the same direction. `replies` are given
before it answers of its own accord. `python -m tests.meaning PORT DIMENSIONS` serves fast vectors for benchmarks.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

SYNONYMS = ("car automobile vehicle 汽车", "doctor physician 医生", "cheap inexpensive", "refund reimbursement")
DIMENSIONS = 64
PREFIXES = ("query: ", "passage: ")


@dataclass(frozen=True)
class Status:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class MeaningServer:
    """`requests` are the bodies so far, `texts` all that was embedded. `answers` are given first, in their order."""

    dimensions: int = DIMENSIONS
    answers: deque[Status] = field(default_factory=deque)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def texts(self) -> list[str]:
        return [text for request in self.requests for text in request.get("input", [])]

    def __enter__(self) -> Self:
        self._server = _server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, body: dict[str, Any], key: str | None) -> Status:
        self.requests.append(body)
        self.keys.append(key)
        if self.answers:
            return self.answers.popleft()
        if path.endswith("/rerank"):
            asked = set(body["query"].lower().split())
            scores = [len(asked & set(text.lower().split())) for text in body["documents"]]
            return Status(200, {"results": [{"index": at, "relevance_score": s} for at, s in enumerate(scores)]})
        data = [{"index": at, "embedding": vector(text, self.dimensions)} for at, text in enumerate(body["input"])]
        return Status(200, {"object": "list", "data": data[::-1]})


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    for prefix in PREFIXES:
        text = text.removeprefix(prefix)
    numbers = [0.0] * dimensions
    for word in re.findall(r"[a-z]+|[一-鿿]{2}", text.lower()):
        line = next((line for line in SYNONYMS if word in line.split()), word)
        numbers[int(hashlib.sha256(line.encode()).hexdigest(), 16) % dimensions] += 1
    length = math.hypot(*numbers)
    return [number / length for number in numbers] if length else [1.0, *numbers[1:]]


def _server(meaning: MeaningServer) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = meaning.answer(self.path, body, self.headers.get("Authorization"))
            content = status.body if isinstance(status.body, bytes) else json.dumps(status.body).encode()
            self.send_response(status.status)
            for name, value in {"Content-Type": "application/json", **status.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", meaning.port), Handler)
    server.daemon_threads = True
    return server


if __name__ == "__main__":
    _server(MeaningServer(dimensions=int(sys.argv[2]), port=int(sys.argv[1]))).serve_forever()
