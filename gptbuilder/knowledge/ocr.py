"""Pictures of text into text by Debian's tesseract, where it is installed: in the cage, one process for each page."""

from __future__ import annotations

import base64
import binascii
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from gptbuilder import sandbox

PICTURE = "gptbuilder.knowledge.reading.entry:picture"
DATA = ("/usr/share/tesseract-ocr", "/usr/share/tessdata")
LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# Not languages, and scripts written downwards, which slow everything else.
LEFT_OUT = re.compile(r"osd|equ|.*_vert")
# Each language costs its time again on every page.
MOST_LANGUAGES = 4
FIRST_LANGUAGE = "eng"
SECONDS = 600.0
MEGABYTE = 2**20
LIMITS = sandbox.Limits(
    memory_bytes=1024 * MEGABYTE, cpu_seconds=60, wall_seconds=90.0, output_bytes=4 * MEGABYTE, disk_bytes=MEGABYTE
)
PICTURE_LIMITS = sandbox.Limits(
    memory_bytes=1024 * MEGABYTE, cpu_seconds=30, wall_seconds=45.0, output_bytes=64 * MEGABYTE
)


def program() -> str | None:
    """The real path of tesseract, or None."""
    found = shutil.which("tesseract")
    return str(Path(found).resolve()) if found else None


if PROGRAM := program():
    sandbox.approve(PROGRAM, [folder for folder in DATA if Path(folder).is_dir()])


def recognise(path: Path, kind: str, pages: Sequence[int], password: str | None) -> dict[int, str]:
    """The text of these pages of a PDF, or of a picture, as far as SECONDS allow. Empty where there is no OCR."""
    texts: dict[int, str] = {}
    if not languages():
        return texts
    if kind == "image":
        return {1: _text(path)}
    deadline = time.monotonic() + SECONDS
    for page in pages:
        if time.monotonic() > deadline:
            break
        texts[page] = _page(path, page, password)
    return texts


@cache
def languages() -> tuple[str, ...]:
    """The installed ones, English first, at most MOST_LANGUAGES. An operator chooses them by installing them."""
    if not PROGRAM:
        return ()
    listed = sandbox.run(sandbox.Program(PROGRAM, ("--list-langs",)), LIMITS)
    if isinstance(listed, sandbox.Failed):
        return ()
    names = [name for name in listed.value.decode("ascii", "replace").split("\n")[1:] if LANGUAGE.fullmatch(name)]
    chosen = sorted((name for name in names if not LEFT_OUT.fullmatch(name)), key=lambda name: name != FIRST_LANGUAGE)
    return tuple(chosen[:MOST_LANGUAGES])


def _page(path: Path, page: int, password: str | None) -> str:
    size = path.stat().st_size
    limits = sandbox.Limits(
        memory_bytes=PICTURE_LIMITS.memory_bytes + 2 * size,
        cpu_seconds=PICTURE_LIMITS.cpu_seconds,
        wall_seconds=PICTURE_LIMITS.wall_seconds,
        output_bytes=PICTURE_LIMITS.output_bytes,
    )
    drawn = sandbox.run(sandbox.Job(PICTURE, {"page": page, "password": password}, {"file": path}), limits)
    if isinstance(drawn, sandbox.Failed) or not isinstance(drawn.value, str):
        return ""
    with tempfile.NamedTemporaryFile(suffix=".png") as picture:
        try:
            picture.write(base64.b64decode(drawn.value, validate=True))
        except binascii.Error:
            return ""
        picture.flush()
        return _text(Path(picture.name))


def _text(picture: Path) -> str:
    """By page layout with its orientation, for a page may lie on its side."""
    assert PROGRAM is not None, "without a program there are no languages"  # noqa: S101
    arguments = ("stdin", "stdout", "-l", "+".join(languages()), "--psm", "1")
    done = sandbox.run(sandbox.Program(PROGRAM, arguments, stdin=picture), LIMITS)
    return done.value.decode("utf-8", "replace") if isinstance(done, sandbox.Finished) else ""
