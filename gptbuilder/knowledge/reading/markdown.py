"""Markdown for passages: pipe tables, and text cut into sections at its headings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from gptbuilder.knowledge.reading.document import Section, Unreadable
from gptbuilder.knowledge.reading.limits import CELLS, COLUMNS

HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
# What cannot be the text of a heading that is underlined.
NOT_A_PARAGRAPH = re.compile(r" {0,3}([-+*>|]|\d+[.)] |#{1,6} |`{3,}|~{3,})|\s*$| {4,}")
LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)")
TITLE_CHARACTERS = 200
SEPARATOR = " › "


def table(rows: Iterable[Sequence[str]]) -> str:
    """A pipe table. The first row is the header; rows keep their own length, so a wide header costs nothing twice."""
    lines, width, cells = [], 0, 0
    for row in rows:
        cells += len(row)
        if len(row) > COLUMNS or cells > CELLS:
            raise Unreadable("too_large", f"a table of more than {COLUMNS} columns or {CELLS} cells")
        lines.append("| " + " | ".join(map(cell, row)) + " |")
        if len(lines) == 1:
            width = len(row)
            lines.append("|" + " --- |" * width)
    return "\n".join(lines) if width else ""


def cell(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text.strip()).replace("|", "\\|")


def heading(level: int, text: str) -> str:
    return "#" * min(max(level, 1), 6) + " " + " ".join(text.split())


def indented(text: str, width: int) -> str:
    return text.replace("\n", "\n" + " " * width)


def sections(text: str) -> Iterator[Section]:
    """Cut at headings, `#` or underlined, outside of code. What stands before the first one is a part without title."""
    path: list[tuple[int, str]] = []
    body: list[str] = []
    for line, opened in _lines_with_headings(text):
        if opened:
            yield from _section(path, body)
            path = [*(step for step in path if step[0] < opened[0]), opened]
            body = []
        body.append(line)
    yield from _section(path, body)


def _section(path: list[tuple[int, str]], body: list[str]) -> Iterator[Section]:
    text = "\n".join(body).strip()
    if text:
        title = SEPARATOR.join(step for _, step in path)
        yield Section("heading" if path else "part", None, shortened(title), text)


def _lines_with_headings(text: str) -> Iterator[tuple[str, tuple[int, str] | None]]:
    lines = text.split("\n")
    fence = ""
    skip = False
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if skip:
            skip = False
            yield line, None
            continue
        if found := FENCE.match(line):
            mark = found[1]
            if not fence:
                fence = mark
            elif mark.startswith(fence):
                fence = ""
            yield line, None
        elif fence:
            yield line, None
        elif found := HEADING.match(line):
            yield line, (len(found[1]), plain(found[2]))
        elif (under := UNDERLINE.match(after)) and not NOT_A_PARAGRAPH.match(line):
            skip = True
            yield line, (1 if under[1][0] == "=" else 2, plain(line.strip()))
        else:
            yield line, None


def plain(text: str) -> str:
    """A heading's words alone: links without their target, no emphasis, no escapes."""
    text = LINK.sub(r"\1", text)
    text = re.sub(r"(\*\*|__|~~|`)(.+?)\1", r"\2", text)
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text).strip()


def shortened(title: str) -> str:
    """The end of a long path says more than its beginning."""
    title = " ".join(title.split())
    return title if len(title) <= TITLE_CHARACTERS else "…" + title[-TITLE_CHARACTERS + 1 :]
