"""The values that readers speak in: a source, sections of text, and the reason why there is no text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

SectionKind = Literal["page", "sheet", "slide", "heading", "part"]
Outcome = Literal[
    "ok",
    "needs_password",
    "wrong_password",
    "no_text_layer",
    "empty",
    "broken",
    "wrong_extension",
    "unsupported",
    "not_safe",
    "too_large",
    "too_slow",
    "no_cage",
]


@dataclass(frozen=True)
class Source:
    """One file, whole, as a reader gets it. `kind` is what its content is, whatever `name` says."""

    data: bytes
    name: str
    kind: str
    password: str | None = None

    @property
    def extension(self) -> str:
        return extension_of(self.name)


@dataclass(frozen=True)
class Section:
    """A piece of a file that one can point at.

    `number` counts pages, sheets and slides from 1 and is None for the rest. `title` is the sheet's name, the slide's
    title, or the path of headings. `text` is Markdown where the file had structure: headings, lists, pipe tables whose
    first row is the header.
    """

    kind: SectionKind
    number: int | None
    title: str
    text: str


@dataclass(frozen=True)
class Reading:
    """What a reader found. `unread` are pages (from 1) that show something but hold no text: work for OCR."""

    sections: Sequence[Section]
    unread: Sequence[int] = ()


class Unreadable(Exception):
    """No text, for a reason the person is told. `detail` is for the log and the command, never for the page."""

    def __init__(self, outcome: Outcome, detail: str = ""):
        super().__init__(outcome, detail)
        self.outcome = outcome
        self.detail = detail


def extension_of(name: str) -> str:
    """Lower case and without the dot; empty where there is none."""
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if dot and stem else ""
