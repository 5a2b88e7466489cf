"""A service that says what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gptbuilder.lib.safe_http.client import Client
from gptbuilder.lib.safe_http.destinations import AllowList


class Echo(ThreadingHTTPServer):
    """`heard` are the requests; `replies`, while there are some, are sent instead: status, media type, body. Redirects
    lead to `location`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[dict[str, Any]] = []
        self.replies: list[tuple[int, str, bytes]] = []
        self.location = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def client(self) -> Client:
        """One that may reach it."""
        return Client(AllowList.parse([f"127.0.0.1/32:{self.server_address[1]}"]))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two packets; the second would wait 40 ms for the answer to the first.
    disable_nagle_algorithm = True
    server: Echo

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        said = {
            "method": self.command,
            "path": path,
            "query": query,
            "headers": headers,
            "body": body.decode("latin-1"),
        }
        self.server.heard.append(said)
        reply = (
            self.server.replies.pop(0) if self.server.replies else (200, "application/json", json.dumps(said).encode())
        )
        status, kind, data = reply
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status in (301, 302, 303, 307, 308):
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _answer

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def echoing() -> Iterator[Echo]:
    with Echo() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
