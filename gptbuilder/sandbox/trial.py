"""Jobs that do nothing: to see whether jobs run at all, where they find themselves, and what one costs."""

import csv
import os
import time
from pathlib import Path
from typing import Any, BinaryIO

Inputs = dict[str, BinaryIO]


def echo(inputs: Inputs, word: Any) -> Any:
    return word


def describe(inputs: Inputs) -> dict[str, Any]:
    """Who and where the job is, and how its inputs begin."""
    return {
        "user": os.getuid(),
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "inputs": {name: file.read(100).decode() for name, file in inputs.items()},
    }


def keep_on_disk(inputs: Inputs, text: str) -> str:
    """Write to the scratch disk and read it back."""
    path = Path(os.environ["TMPDIR"]) / "kept.txt"
    path.write_text(text)
    return path.read_text()


def clock(inputs: Inputs) -> float:
    """The machine's, which is the host's, too."""
    return time.monotonic()


def wait_with_a_table(inputs: Inputs, rows: int) -> None:
    """Read a table of so many rows, keep it, and wait to be ended."""
    table = list(csv.reader(f"{number},name,some text in a cell,{number * 1.5}" for number in range(rows)))
    while len(table) == rows:
        time.sleep(1000)
