"""What a hostile job tries, as functions that run in the cage and return what they got: an empty list is a good sign.

`World` holds what the doctor has put outside for them to find. `python -c` with `main` runs one as a program.
"""

import importlib
import json
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, TypedDict

Inputs = dict[str, BinaryIO]
Got = list[str]


class World(TypedDict):
    """Things outside, by name: a folder with a secret in a file, listening sockets, a process to harm."""

    folder: str
    file: str
    secret: str
    sockets: list[str]
    ports: list[int]
    process: int
    root: str


def attempt(name: str, action: Callable[..., Any], *arguments: Any) -> Got:
    """The name when the action went through."""
    try:
        action(*arguments)
    except (OSError, ValueError, RuntimeError, MemoryError):
        return []
    return [name]


def main() -> None:
    """Arguments: `module:function` and the world as JSON. Writes the answer as JSON."""
    module, _, name = sys.argv[2].partition(":")
    function = getattr(importlib.import_module(module), name)
    got = function({"file": sys.stdin.buffer}, json.loads(sys.argv[3]))
    sys.stdout.write(json.dumps(got))
