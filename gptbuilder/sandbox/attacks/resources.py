"""Using up what everybody needs: memory, disk, time, and the host's patience."""

import mmap
import os
import signal
import time
from pathlib import Path
from typing import NoReturn

from gptbuilder.sandbox.attacks import Got, Inputs, World, attempt

GIGABYTE = 1024**3
MEGABYTE = 1024**2
MOST_FILES = 2_000
_MAP_NORESERVE = 0x4000


def allocate_20_gigabytes(inputs: Inputs, world: World) -> Got:
    """At once, and without being asked to keep its word (MAP_NORESERVE)."""
    got = attempt("bytearray", bytearray, 20 * GIGABYTE)
    return got + attempt("mmap", mmap.mmap, -1, 20 * GIGABYTE, mmap.MAP_PRIVATE | _MAP_NORESERVE)


def allocate_piece_by_piece(inputs: Inputs, world: World) -> Got:
    kept: list[bytes] = []
    while len(kept) < 20 * GIGABYTE // MEGABYTE:
        kept.append(bytes([1]) * MEGABYTE)
    return ["20 GB"]


def grow_objects(inputs: Inputs, world: World) -> Got:
    """What a parser does by mistake: no large piece, only many small ones."""
    kept: list[object] = []
    while len(kept) < GIGABYTE:
        kept.append([kept])
    return ["a billion lists"]


def fill_the_disk(inputs: Inputs, world: World) -> Got:
    """More than the 8 MB that the doctor allows."""
    written = 0
    for number in range(64):
        written += _filled(_scratch() / f"file-{number}", MEGABYTE)
    return [f"{written:,} bytes"] if written > 8 * MEGABYTE else []


def fill_the_inodes(inputs: Inputs, world: World) -> Got:
    """More than the 100 files that the doctor allows."""
    made = 0
    while made < MOST_FILES and attempt("", (_scratch() / f"empty-{made}").touch):
        made += 1
    return [f"{made:,} files"] if made > 100 else []


def make_a_sparse_giant(inputs: Inputs, world: World) -> Got:
    return attempt("a terabyte", _stretched, _scratch() / "giant", 1024 * GIGABYTE)


def compute_forever(inputs: Inputs, world: World) -> NoReturn:
    while True:
        pass


def compute_forever_deaf(inputs: Inputs, world: World) -> NoReturn:
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


def sleep_forever(inputs: Inputs, world: World) -> NoReturn:
    while True:
        time.sleep(1000)


def stop_oneself(inputs: Inputs, world: World) -> NoReturn:
    """A stopped process ignores nearly everything, and never ends."""
    os.kill(os.getpid(), signal.SIGSTOP)
    while True:
        time.sleep(1000)


def _scratch() -> Path:
    return Path(os.environ.get("TMPDIR", "/scratch"))


def _stretched(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def _filled(path: Path, size: int) -> int:
    try:
        return path.write_bytes(bytes(size))
    except OSError:
        return 0
