"""What is asked of the cage, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

MEGABYTE = 1024 * 1024
Reason = Literal["memory", "time", "output", "crashed", "refused"]


@dataclass(frozen=True)
class Job:
    """A call of `function(inputs, **arguments)`, named `module:function`; importable without Django.

    `inputs`, at most 28, are opened here, for reading only; the function gets them as open binary files under the same
    names. Arguments and the function's answer are JSON values.
    """

    entry: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """One run of a program that was approved before; it sees its libraries, what it was approved with, and `stdin`.

    What it writes to its standard output is the answer, as bytes. An exit status other than 0 is a crash.
    """

    path: str
    arguments: tuple[str, ...] = ()
    stdin: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What one job may use. `memory_bytes` comes on top of what is loaded already, `disk_bytes` on top of that.

    The disk is in memory, at `/tmp`, and there is none in the weaker cage.
    """

    memory_bytes: int = 512 * MEGABYTE
    cpu_seconds: int = 30
    wall_seconds: float = 60.0
    output_bytes: int = 16 * MEGABYTE
    disk_bytes: int = 64 * MEGABYTE
    files: int = 1000
    descriptors: int = 64


@dataclass(frozen=True)
class Finished:
    """`value` is a JSON value that somebody hostile may have made up; bytes when it is of a program."""

    value: Any
    seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Failed:
    """`refused` means that nothing ran, because there is no cage. `detail` is for a log: it may be hostile text."""

    reason: Reason
    detail: str
