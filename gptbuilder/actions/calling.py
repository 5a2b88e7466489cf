"""One call of an operation, and what a model is told of the answer. Pure but for the connection."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gptbuilder.actions import requests
from gptbuilder.actions.openapi.types import Operation
from gptbuilder.actions.requests import Credentials, File, FileMissing
from gptbuilder.lib.safe_http.client import Client, Limits, Response
from gptbuilder.lib.safe_http.errors import FetchFailed

SECONDS = 45.0
# Bytes are read until a text of TEXT_LETTERS is there in any script.
ANSWER_BYTES = 2_000_000
TEXT_LETTERS = 100_000
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
READING = Limits(total_seconds=SECONDS, body_bytes=ANSWER_BYTES, cut=True)
# What changes something is sent once, to where the document says.
CHANGING = replace(READING, redirects=0)
# What may be sent again when nobody knows whether it arrived.
IDEMPOTENT = SAFE | {"PUT", "DELETE"}
ATTEMPTS = 2
WORTH_ANOTHER = frozenset({"unreachable", "timed_out"})
TEXTUAL = (
    "text/",
    "application/json",
    "application/xml",
    "application/javascript",
    "application/x-www-form-urlencoded",
)

CUT = "\n[The answer was longer; only its beginning is shown.]"
BINARY = "The service answered with {kind}, which cannot be shown as text."
NOT_TEXT = "data that is no text"
NO_FILE = "There is no file named “{name}” in this conversation."
FAILED = {
    "bad_url": "The address of this action is none.",
    "bad_request": "What would be sent holds characters that cannot be sent.",
    "refused": "The address of this action is not one that may be called from here.",
    "not_resolvable": "The service's host does not exist.",
    "unreachable": "The service cannot be reached.",
    "tls": "The service's certificate is not valid, so nothing was sent.",
    "timed_out": "The service took too long to answer.",
    "too_large": "The service's answer is too large.",
    "too_many_redirects": "The service leads from one address to the next without end.",
    "garbage": "The service's answer cannot be read.",
}


@dataclass(frozen=True)
class Result:
    """`text` is for the model. `status` is HTTP's, 0 without an answer; `was_sent` is false when nothing can have
    arrived. `code` is a key of FAILED, or "file"."""

    text: str
    status: int = 0
    is_error: bool = False
    was_sent: bool = True
    code: str = ""


def is_idempotent(operation: Operation) -> bool:
    return operation.method in IDEMPOTENT


def call(
    client: Client,
    operation: Operation,
    arguments: Mapping[str, Any],
    credentials: Credentials = requests.NONE,
    files: Mapping[str, File] | None = None,
) -> Result:
    """Call the operation with arguments that fit its schema. Nothing is raised: what goes wrong is the result. A call
    that changes nothing more when it comes twice is tried once more."""
    try:
        request = requests.prepare(operation, arguments, credentials, files)
    except FileMissing as missing:
        return Result(NO_FILE.format(name=missing), is_error=True, was_sent=False, code="file")
    limits = READING if operation.method in SAFE else CHANGING
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = client.fetch(
                request.url,
                request.method,
                headers=request.headers,
                content=request.content,
                secret_headers=request.secret_headers,
                limits=limits,
            )
            return _told(answer)
        except FetchFailed as failed:
            is_safe = is_idempotent(operation) or not failed.was_sent
            if attempt == ATTEMPTS or failed.code not in WORTH_ANOTHER or not is_safe:
                return Result(FAILED[failed.code], is_error=True, was_sent=failed.was_sent, code=failed.code)
    raise AssertionError("the last attempt has a result")


def _told(answer: Response) -> Result:
    text = _text(answer)
    if not 200 <= answer.status < 300:
        return Result(
            f"The service answered with status {answer.status}.\n{text}".strip(), answer.status, is_error=True
        )
    return Result(text or f"The service answered with status {answer.status} and no content.", answer.status)


def _text(answer: Response) -> str:
    """The body as text, JSON without its blanks."""
    if not answer.body:
        return ""
    kind = answer.content_type
    is_textual = not kind or kind.startswith(TEXTUAL) or kind.endswith(("+json", "+xml"))
    try:
        text = answer.body.decode("utf-8", "strict" if not answer.truncated else "ignore") if is_textual else None
    except UnicodeDecodeError:
        text = answer.body.decode("latin-1") if kind.startswith("text/") else None
    if text is None or "\0" in text:
        return BINARY.format(kind=kind or NOT_TEXT)
    if not answer.truncated:
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    return text[:TEXT_LETTERS] + CUT if answer.truncated or len(text) > TEXT_LETTERS else text
