"""A file into sections of text: the readers run in the cage, one process for each file, and their answer is checked.

No Django in here, and no parser: nothing of a file is looked at outside the cage, except that a machine without one
still takes plain text for what it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from gptbuilder import sandbox
from gptbuilder.knowledge import ocr
from gptbuilder.knowledge.reading import plain, sniffing
from gptbuilder.knowledge.reading.document import Outcome, Section, SectionKind, Source, extension_of

READ = "gptbuilder.knowledge.reading.entry:read"
# What most files need; the rest is imported by the job that needs it.
PRELOADED = ("entry", "pdf", "office", "spreadsheets", "hypertext", "plain")
MEGABYTE = 2**20
# What a reader needs beside the file itself, which is held twice: measured in docs/decisions/0041-reading-files.md.
MEMORY_BYTES = 1024 * MEGABYTE
CPU_SECONDS = 60
WALL_SECONDS = 90.0
OUTPUT_BYTES = 128 * MEGABYTE
FILE_BYTES = 512 * MEGABYTE
# Without a cage: what the worker itself decodes and splits, of endings that promise nothing but text.
PLAIN_BYTES = 16 * MEGABYTE
PLAIN_KINDS = ("text", "markdown", "csv")

MOST_SECTIONS = 200_000
TITLE_CHARACTERS = 300
DETAIL_CHARACTERS = 500
KIND = re.compile(r"[a-z]{0,20}")
# Neither PostgreSQL nor a page wants them.
UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
FAILURES: dict[str, Outcome] = {"memory": "too_large", "output": "too_large", "time": "too_slow", "crashed": "broken"}

sandbox.preload(f"gptbuilder.knowledge.reading.{module}" for module in PRELOADED)


@dataclass(frozen=True)
class Extraction:
    """What came of a file. `sections` are empty unless `outcome` is "ok"; outcomes.py has a sentence for each.

    `kind` is what the content is ("pdf", "docx", …), empty where that stayed unknown. `unread` are pages, from 1, that
    show something but gave no text. `detail` is for logs and commands: part of it may come from the file.
    """

    outcome: Outcome
    kind: str = ""
    sections: tuple[Section, ...] = ()
    unread: tuple[int, ...] = ()
    detail: str = ""
    seconds: float = 0.0
    peak_bytes: int = 0


class BadAnswer(Exception):
    """The reader's answer has not the form it has to have: somebody else spoke."""


def extract(
    path: Path, name: str, password: str | None = None, *, recognise: bool = True, most_bytes: int = FILE_BYTES
) -> Extraction:
    """Read a file of at most `most_bytes`. `name` is what the person calls it; `path` may be named otherwise.

    Takes at most WALL_SECONDS; `recognise` adds what `recognised` does. Raises OSError where the file cannot be opened,
    and nothing for whatever is in it.
    """
    size = path.stat().st_size
    if size > most_bytes:
        return Extraction("too_large", detail=f"{size} bytes")
    limits = sandbox.Limits(
        memory_bytes=MEMORY_BYTES + 2 * size,
        cpu_seconds=CPU_SECONDS,
        wall_seconds=WALL_SECONDS,
        output_bytes=OUTPUT_BYTES,
    )
    # A name from the disk may hold bytes that are no letters, which no message carries.
    arguments = {"name": name.encode(errors="replace").decode(), "password": password}
    done = sandbox.run(sandbox.Job(READ, arguments, {"file": path}), limits)
    if isinstance(done, sandbox.Failed):
        if done.reason == "refused" and size <= PLAIN_BYTES and (text := _plain_text(path, name)):
            return text
        return Extraction(FAILURES.get(done.reason, "no_cage"), detail=f"{done.reason}: {_clean(done.detail)}")
    try:
        extraction = checked(done.value)
    except BadAnswer as error:
        return Extraction("broken", detail=str(error))
    extraction = replace(extraction, seconds=done.seconds, peak_bytes=done.peak_bytes)
    return recognised(extraction, path, password) if recognise else extraction


def _plain_text(path: Path, name: str) -> Extraction | None:
    """A file that is UTF-8 and says by its name that it is no more than that; None for all others."""
    extension = extension_of(name)
    kind = sniffing.TEXT_KINDS.get(extension, "text")
    data = path.read_bytes()
    if kind not in PLAIN_KINDS or extension in sniffing.PROMISES or b"\0" in data:
        return None
    try:
        data.decode()
    except UnicodeDecodeError:
        return None
    read = plain.read(Source(data, name, kind, None)).sections[:MOST_SECTIONS]
    sections = tuple(_section([it.kind, it.number, it.title, it.text]) for it in read if it.text.strip())
    return Extraction("ok" if sections else "empty", kind, sections)


def recognised(extraction: Extraction, path: Path, password: str | None = None) -> Extraction:
    """With the text of the pages that are pictures, as far as there is OCR and it finds some.

    Takes some seconds a page, up to ocr.SECONDS.
    """
    if not extraction.unread:
        return extraction
    found = ocr.recognise(path, extraction.kind, extraction.unread, password)
    pages = [Section("page", number, "", clean) for number, text in found.items() if (clean := _clean(text).strip())]
    if not pages:
        return extraction
    together = sorted([*extraction.sections, *pages], key=lambda section: section.number or 0)
    read = {section.number for section in pages}
    unread = tuple(number for number in extraction.unread if number not in read)
    return replace(extraction, outcome="ok", sections=tuple(together), unread=unread)


def checked(answer: Any) -> Extraction:
    """What the cage answered, in our types and without characters that nobody stores. Raises BadAnswer."""
    match answer:
        case {
            "outcome": str(outcome),
            "kind": str(kind),
            "sections": list(sections),
            "unread": list(unread),
            "detail": str(detail),
        } if outcome in get_args(Outcome) and KIND.fullmatch(kind) and len(sections) <= MOST_SECTIONS:
            if (outcome == "ok") != bool(sections):
                raise BadAnswer("text without success, or success without text")
            return Extraction(
                outcome,  # type: ignore[arg-type]  # it is one of them
                kind,
                tuple(map(_section, sections)),
                tuple(_number(page) for page in unread[:MOST_SECTIONS]),
                _clean(detail)[:DETAIL_CHARACTERS],
            )
    raise BadAnswer("the answer is no reading")


def _section(answer: Any) -> Section:
    match answer:
        case [str(kind), number, str(title), str(text)] if kind in get_args(SectionKind):
            return Section(
                kind,  # type: ignore[arg-type]  # it is one of them
                None if number is None else _number(number),
                _clean(title)[:TITLE_CHARACTERS],
                _clean(text),
            )
    raise BadAnswer("a section is no section")


def _number(answer: Any) -> int:
    if type(answer) is int and 0 < answer <= MOST_SECTIONS:
        return answer
    raise BadAnswer("a number is no number")


def _clean(text: str) -> str:
    return UNWANTED.sub("", text)
