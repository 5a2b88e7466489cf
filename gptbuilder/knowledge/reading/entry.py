"""The one door into the cage: a file in, sections or a reason out, as JSON values."""

from __future__ import annotations

import base64
import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, TypeVar

from gptbuilder.knowledge.reading import sniffing
from gptbuilder.knowledge.reading.document import Outcome, Reading, Source, Unreadable
from gptbuilder.knowledge.reading.limits import Budget

Answer = TypeVar("Answer")
DETAIL_CHARACTERS = 500
# Imported when a file of the kind comes, for most of them are large.
READERS = {
    "pdf": "pdf",
    "doc": "office", "docx": "office", "ppt": "office", "pptx": "office",
    "xls": "spreadsheets", "xlsx": "spreadsheets", "xlsb": "spreadsheets", "ods": "spreadsheets",
    "odt": "opendocument", "odp": "opendocument",
    "html": "hypertext", "epub": "epub", "rtf": "rtf", "notebook": "notebooks",
    "eml": "mail", "msg": "mail", "image": "images",
    "text": "plain", "markdown": "plain", "csv": "plain", "json": "plain", "xml": "plain",
}  # fmt: skip


def read(inputs: Mapping[str, BinaryIO], name: str, password: str | None = None) -> dict[str, Any]:
    """`outcome`, `kind`, `sections` as lists of kind, number, title and text, `unread` pages, `detail`."""
    kind = ""
    try:
        data = inputs["file"].read()
        kind = sniffing.sniff(data, name)
        kind, reading = _opened(Source(data, name, kind, password))
        sections = [section for section in reading.sections if section.text.strip()]
        reading = Reading(sections, reading.unread)
        return {"outcome": _outcome(reading), **_answer(kind, reading)}
    except Unreadable as error:
        return {"outcome": error.outcome, **_answer(kind, Reading([]), error.detail)}


def picture(inputs: Mapping[str, BinaryIO], page: int, password: str | None = None) -> str:
    """A page of a PDF as a picture for OCR: PNG in base64."""
    from gptbuilder.knowledge.reading import pdf

    return base64.b64encode(pdf.picture(inputs["file"].read(), password, page)).decode("ascii")


def _opened(source: Source) -> tuple[str, Reading]:
    """Read, and where an office file is locked, read what is in it."""
    try:
        if source.kind == "encrypted":
            raise Unreadable("needs_password")
        return source.kind, _read(source)
    except Unreadable as error:
        if error.outcome != "needs_password" or not source.data.startswith(sniffing.COMPOUND):
            raise
    from gptbuilder.knowledge.reading import locks

    data = _tried("locks", lambda: locks.unlocked(source.data, source.password))
    inside = replace(source, data=data, kind=sniffing.sniff(data, source.name))
    return inside.kind, _read(inside)


def _read(source: Source) -> Reading:
    module = READERS[source.kind]
    read: Callable[[Source], Reading] = importlib.import_module(f"gptbuilder.knowledge.reading.{module}").read
    return _tried(module, lambda: read(source))


def _tried(what: str, parser: Callable[[], Answer]) -> Answer:
    try:
        return parser()
    except (Unreadable, MemoryError):
        raise
    except Exception as error:
        raise Unreadable("broken", f"{what}: {error!r}") from error


def _outcome(reading: Reading) -> Outcome:
    if reading.sections:
        return "ok"
    return "no_text_layer" if reading.unread else "empty"


def _answer(kind: str, reading: Reading, detail: str = "") -> dict[str, Any]:
    budget = Budget()
    sections = [
        (section.kind, section.number, whole(section.title), budget.spend(whole(section.text)))
        for section in reading.sections
    ]
    return {
        "kind": kind,
        "sections": sections,
        "unread": list(reading.unread),
        "detail": whole(detail)[:DETAIL_CHARACTERS],
    }


def whole(text: str) -> str:
    """Some parsers give a letter beyond the first 65,536 as two halves, which no encoding knows."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
