"""How far the local model is: a small JSON file written by its process, read by the pages and the terminal."""

import contextlib
import json
from pathlib import Path
from typing import Literal, TypedDict

from gptbuilder.embedded.places import write_atomically

State = Literal["fetching", "joining", "verifying", "loading", "ready", "failed"]


class ModelStatus(TypedDict):
    """`message` is a sentence for people. `code` says why it failed.

    `not_found`: the registry has the weights no more; `fetch`: they could not be fetched now; `broken`: not loadable.
    """

    state: State
    done_bytes: int
    total_bytes: int
    message: str
    code: str


def status(
    state: State, message: str = "", *, done_bytes: int = 0, total_bytes: int = 0, code: str = ""
) -> ModelStatus:
    return ModelStatus(state=state, done_bytes=done_bytes, total_bytes=total_bytes, message=message, code=code)


def write_status(path: Path, current: ModelStatus) -> None:
    write_atomically(path, json.dumps(current))


def read_status(path: Path) -> ModelStatus:
    """`loading` while there is no readable file yet; never raises. One small read: fit for a page that polls."""
    current = status("loading", "The model is starting.")
    with contextlib.suppress(OSError, ValueError):
        current.update(json.loads(path.read_text()))
    return current
