"""The embedding model's process: a small `/v1/embeddings` on loopback, as OpenAI has it, behind a key.

A question waits for at most one passage: requests are taken apart, one text at a time is embedded, questions first. The
model tells them apart by their prefix ("query: ", "passage: "), which the caller writes. It is loaded with the first
request. `python -m gptbuilder.embedded.embedder` reads its orders from the environment (`child` sets them).
"""

import hmac
import itertools
import json
import math
import os
import queue
import signal
import sys
import threading
import time
import unicodedata
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gptbuilder.embedded import embedding_weights
from gptbuilder.embedded.children import Child
from gptbuilder.embedded.embedding_weights import MODEL_NAME
from gptbuilder.embedded.places import Places, default_home, free_port, require_space, settle
from gptbuilder.embedded.weights import FetchFailed

__all__ = ["MODEL_NAME", "child", "is_wanted", "prepare"]

HOST = "127.0.0.1"
TOKENS_MOST = 512
BODY_BYTES = 8_000_000
TEXTS_MOST = 512
# More letters than 512 tokens ever have.
LETTERS_MOST = 8_000
# What is left of a text with too many tokens, each time it is tried again.
SHORTENED = 0.9
FETCH_AGAIN_SECONDS = 60.0
ANSWER_SECONDS = 600.0
QUESTION, PASSAGE = 0, 1


def is_wanted(places: Places) -> bool:
    """Unless another model embeds; then only where it has embedded before, for its vectors serve until they are
    replaced. It costs little while nobody asks it."""
    return not os.environ.get("EMBEDDING_BASE_URL") or (_folder(places) / embedding_weights.FILE_NAME).exists()


def prepare(places: Places) -> None:
    """Check what can be checked before the start. Raises `CannotStart`."""
    if not (_folder(places) / embedding_weights.FILE_NAME).exists():
        require_space(places.home, embedding_weights.NEEDED_BYTES, "The local embedding model")


def child(places: Places, port: int, api_key: str) -> Child:
    return Child(
        name="embedder",
        command=[sys.executable, "-m", "gptbuilder.embedded.embedder"],
        environment={
            "GPTBUILDER_HOME": str(places.home),
            "EMBEDDER_PORT": str(port),
            "EMBEDDER_API_KEY": api_key,
            # One core unless there are some to spare, and none for waiting: passages are made while people talk.
            "OMP_NUM_THREADS": os.environ.get("EMBEDDING_THREADS", "1"),
            "OMP_WAIT_POLICY": "PASSIVE",
        },
        folder=Path(__file__).parents[2],
        stop_seconds=1.0,
    )


def main() -> int:
    # Without a handler of its own the process would end in the middle of a native call, which may crash.
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
    embedder = Embedder(_folder(settle(default_home())))
    serve(embedder, int(os.environ["EMBEDDER_PORT"]), os.environ["EMBEDDER_API_KEY"]).serve_forever()
    return 0


class NotReady(Exception):
    """The model is not there yet; the text says why."""


class Embedder:
    """One thread that embeds one text after the other, the most urgent first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: queue.PriorityQueue[tuple[int, int, str, Future[tuple[list[float], int]]]] = (
            queue.PriorityQueue()
        )
        self._numbers = itertools.count()
        self._failed_at = -math.inf
        self._server: Any = None
        threading.Thread(target=self._work, name="embedder", daemon=True).start()

    def embed(self, texts: list[str]) -> list[tuple[list[float], int]]:
        """A vector and the number of tokens for each text. Raises `NotReady`."""
        futures = [self._submit(text) for text in texts]
        return [future.result(ANSWER_SECONDS) for future in futures]

    def _submit(self, text: str) -> Future[tuple[list[float], int]]:
        future: Future[tuple[list[float], int]] = Future()
        urgency = QUESTION if text.startswith("query: ") else PASSAGE
        self._waiting.put((urgency, next(self._numbers), text, future))
        return future

    def _work(self) -> None:
        while True:
            _, _, text, future = self._waiting.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(self._embed(text))
                except Exception as error:  # noqa: BLE001 - whoever waits for it is told
                    future.set_exception(error)

    def _embed(self, text: str) -> tuple[list[float], int]:
        self._load()
        text = normal(text)
        while True:
            answer = self._server.handle_embeddings({"input": text})
            if "data" in answer:
                return answer["data"][0]["embedding"], int(answer["usage"]["prompt_tokens"])
            if len(text) < TOKENS_MOST // 4:
                raise NotReady(f"The model refuses a text: {str(answer)[:200]}")
            text = text[: int(len(text) * SHORTENED)]

    def _load(self) -> None:
        if self._server is not None:
            return
        if time.monotonic() - self._failed_at < FETCH_AGAIN_SECONDS:
            raise NotReady("The embedding model could not be fetched; it is tried again within a minute.")
        try:
            file = embedding_weights.fetch(self._folder)
        except (FetchFailed, OSError) as error:
            self._failed_at = time.monotonic()
            sys.stderr.write(f"The embedding model could not be fetched. {error}\n")
            raise NotReady(str(error)) from error
        self._server = _server(file)


def normal(text: str) -> str:
    """What the model was trained on: compatible forms, spaces alone between words, nothing that is no letter."""
    kept = (" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text[:LETTERS_MOST])
    return " ".join(unicodedata.normalize("NFKC", "".join(kept)).split())


def serve(embedder: Embedder, port: int, api_key: str) -> ThreadingHTTPServer:
    """A server that is not yet serving."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 120

        def do_GET(self) -> None:
            if self._is_allowed() and self.path == "/v1/models":
                self._say(200, {"object": "list", "data": [{"id": MODEL_NAME, "object": "model"}]})
            elif self._is_allowed():
                self._refuse(404, "There is nothing here.")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length") or ""
            if not length.isdecimal() or int(length) > BODY_BYTES:
                self.close_connection = True
                return self._refuse(413, "The request is too large.")
            body = self.rfile.read(int(length))
            if not self._is_allowed():
                return None
            if self.path != "/v1/embeddings":
                return self._refuse(404, "There is nothing here.")
            texts = _texts(body)
            if texts is None:
                return self._refuse(400, f"Give a text, or 1 to {TEXTS_MOST} of them, as “input”.")
            try:
                return self._say(200, _answer(embedder.embed(texts)))
            except (NotReady, TimeoutError) as error:
                return self._refuse(503, str(error))

        def _is_allowed(self) -> bool:
            given = (self.headers.get("Authorization") or "").encode("latin-1", "replace")
            if hmac.compare_digest(given, f"Bearer {api_key}".encode()):
                return True
            self._refuse(401, "The key is not right.")
            return False

        def _refuse(self, status: int, message: str) -> None:
            self._say(status, {"error": {"message": message, "type": "invalid_request_error"}})

        def _say(self, status: int, value: dict[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """What people ask is not for a log."""

    return _Server((HOST, port), Handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Who asked may have gone: a page that was left, a worker that was stopped.
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def _texts(body: bytes) -> list[str] | None:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return None
    given = asked.get("input") if isinstance(asked, dict) else None
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not 0 < len(texts) <= TEXTS_MOST:
        return None
    return texts if all(isinstance(text, str) for text in texts) else None


def _answer(made: list[tuple[list[float], int]]) -> dict[str, Any]:
    tokens = sum(count for _, count in made)
    return {
        "object": "list",
        "model": MODEL_NAME,
        "data": [{"object": "embedding", "index": at, "embedding": vector} for at, (vector, _) in enumerate(made)],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _server(file: Path) -> Any:
    import xllamacpp  # Loads 60 MB of libraries: not before somebody wants a vector.

    settings = xllamacpp.CommonParams()
    settings.model.path = str(file)
    settings.embedding = True
    settings.n_ctx = settings.n_batch = settings.n_ubatch = TOKENS_MOST
    settings.n_parallel = 1
    threads = int(os.environ.get("EMBEDDING_THREADS", "1"))
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    settings.warmup = False
    # It listens in any case, though nobody speaks to it; so at least nobody else can.
    settings.hostnames = [HOST]
    settings.port = free_port()
    settings.api_keys = [os.urandom(24).hex()]
    settings.ui = False
    settings.verbosity = -1
    return xllamacpp.Server(settings)


def _folder(places: Places) -> Path:
    return places.home / "embedder"


if __name__ == "__main__":
    sys.exit(main())
