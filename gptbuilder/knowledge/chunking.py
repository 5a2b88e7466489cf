"""Cuts what was read from a file into passages (pure): by structure first, then by size.

A passage never leaves its section, so it has one page, sheet or slide. A heading begins a new one and becomes its
title, with the headings above it; a table is cut between rows and each part begins with the header; code is cut between
lines, prose between paragraphs, then sentences. Neighbours that are cut for their size alone share a sentence or so.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from gptbuilder.gateway.tokens import count

# Estimated tokens of a passage without its title; the embedded model reads 512 of its own, a fifth more at most.
TOKENS_MOST = 380
OVERLAP_TOKENS = 40
# Below this a passage goes on over a heading.
TOKENS_LEAST = 60
# How far above its even share a part may be, so that sentences stay whole.
EVEN = 1.15
TITLE_LETTERS = 300
HEADINGS_KEPT = 3
# Between the headings of a path, here and in what extraction gives.
STEP = " › "
# A table's header that is longer is not repeated.
HEADER_TOKENS = 120

HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*\s*")
FENCE = re.compile(r"\s*(```|~~~)")
RULE = re.compile(r"\s*\|?(\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?\s*")
# Behind the mark that ends a sentence; Latin ones only before a space, so that "3.5" stays whole.
SENTENCE = re.compile(r"(?<=[。！？；…])|(?<=[.!?;:])(?=\s)|(?<=\n)")
WORD = re.compile(r"(?<=\s)|(?<=[^\x00-\u2e7f])")
ENDED = re.compile(r"[.!?:;。！？：；…|\]})”’\"'`]\s*$")

Kind = Literal["heading", "prose", "table", "code"]


class Section(Protocol):
    """What extraction gives: a page, sheet, slide, heading or part with its Markdown."""

    @property
    def kind(self) -> str: ...
    @property
    def number(self) -> int | None: ...
    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class Chunk:
    """A passage to be. The first `overlap` characters of `text` repeat the end of the one before."""

    kind: str
    number: int | None
    title: str
    text: str
    overlap: int = 0

    @property
    def meaning(self) -> str:
        """What is embedded and looked at for words: the passage under its title."""
        return f"{self.title}\n{self.text}" if self.title else self.text

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.meaning.encode()).hexdigest()


@dataclass(frozen=True)
class _Block:
    """A paragraph, table or code as it stands in the text; or a heading of this level."""

    kind: Kind
    text: str
    level: int = 0


@dataclass(frozen=True)
class _Piece:
    """What fits into a passage whole. `heading` is the line that stands before it."""

    section: Section
    title: str
    kind: Kind
    text: str
    heading: str = ""


def chunks(sections: Iterable[Section], tokens_most: int = TOKENS_MOST) -> list[Chunk]:
    """All passages of a file, in reading order. The same sections always give the same passages."""
    groups = list(_packed(_pieces(sections, tokens_most), tokens_most))
    return [_chunk(group, groups[at - 1] if at else None) for at, group in enumerate(groups)]


def _packed(pieces: Iterable[_Piece], tokens_most: int) -> Iterator[list[_Piece]]:
    """Pieces that become one passage each time."""
    group: list[_Piece] = []
    size = 0
    for piece in pieces:
        tokens = count(piece.text)
        is_full = size + tokens > tokens_most
        is_elsewhere = bool(group) and piece.section is not group[-1].section
        if group and (is_full or is_elsewhere or (piece.heading and size >= TOKENS_LEAST)):
            yield group
            group, size = [], 0
        group.append(piece)
        size += tokens
    if group:
        yield group


def _chunk(group: Sequence[_Piece], previous: Sequence[_Piece] | None) -> Chunk:
    first = group[0]
    parts = [first.text, *(f"{piece.heading}\n\n{piece.text}" if piece.heading else piece.text for piece in group[1:])]
    shared = _tail(previous[-1].text) if previous and _goes_on(previous[-1], first) else ""
    text = "\n\n".join(parts)
    return Chunk(
        first.section.kind,
        first.section.number,
        first.title,
        f"{shared}\n{text}" if shared else text,
        len(shared) + 1 if shared else 0,
    )


def _goes_on(last: _Piece, first: _Piece) -> bool:
    """Whether only the size, or the end of a page, stands between the two."""
    if last.kind != "prose" or first.kind != "prose" or first.heading:
        return False
    if last.section is first.section:
        return True
    return last.section.kind == first.section.kind == "page" and not ENDED.search(last.text)


def _pieces(sections: Iterable[Section], tokens_most: int) -> Iterator[_Piece]:
    headings: list[tuple[int, str]] = []
    for section in sections:
        # Headings reach over pages; what has a title of its own stands for itself.
        if section.title or section.kind != "page":
            headings = []
        heading = ""
        for block in _blocks(section.text.replace("\x00", "")):
            if block.kind == "heading":
                headings = [*((level, text) for level, text in headings if level < block.level)]
                headings.append((block.level, block.text))
                # Of headings with nothing between, the passage shows the last and its title has all.
                heading = f"{'#' * block.level} {block.text}"
                continue
            title = _title(section, headings)
            for text in _cut(block, tokens_most):
                yield _Piece(section, title, block.kind, text, heading)
                heading = ""
        if heading:
            # A page that only has a heading, such as a title slide.
            yield _Piece(section, _title(section, headings[:-1]), "prose", headings[-1][1], "")


def _title(section: Section, headings: Sequence[tuple[int, str]]) -> str:
    own = [part for part in section.title.replace("\x00", "").strip().split(STEP) if part]
    path = own + [text for _, text in headings if text not in own]
    return STEP.join(path[-HEADINGS_KEPT:])[:TITLE_LETTERS]


def _blocks(text: str) -> Iterator[_Block]:
    """Headings, tables, fenced code, and what stands between blank lines."""
    lines: list[str] = []
    kind: Kind = "prose"
    for line in text.splitlines():
        found: Kind = kind if kind == "code" else "table" if line.lstrip().startswith("|") else "prose"
        heading = HEADING.fullmatch(line) if kind != "code" else None
        if kind == "code":
            lines.append(line)
            if FENCE.match(line):
                yield _Block("code", "\n".join(lines))
                lines, kind = [], "prose"
            continue
        is_fence = bool(FENCE.match(line))
        if (heading or is_fence or not line.strip() or found != kind) and lines:
            yield _Block(kind, "\n".join(lines))
            lines = []
        if heading:
            yield _Block("heading", heading[2], len(heading[1]))
        elif line.strip():
            lines.append(line.rstrip())
        kind = "code" if is_fence else "prose" if heading else found
    if lines:
        yield _Block(kind, "\n".join(lines))


def _cut(block: _Block, tokens_most: int) -> Iterator[str]:
    """The block in parts of at most `tokens_most`, each readable by itself and none much smaller than the others."""
    tokens = count(block.text)
    if tokens <= tokens_most:
        yield block.text
        return
    tokens_most = min(tokens_most, int(tokens / math.ceil(tokens / tokens_most) * EVEN))
    if block.kind == "table":
        yield from _cut_table(block.text.splitlines(), tokens_most)
    elif block.kind == "code":
        yield from _gathered(block.text.splitlines(keepends=True), tokens_most)
    else:
        yield from _gathered(SENTENCE.split(block.text), tokens_most)


def _cut_table(rows: Sequence[str], tokens_most: int) -> Iterator[str]:
    header = list(rows[:2]) if len(rows) > 2 and RULE.fullmatch(rows[1]) else []
    if count("\n".join(header)) > HEADER_TOKENS:
        header = []
    room = tokens_most - count("\n".join(header))
    for part in _gathered([f"{row}\n" for row in rows[len(header) :]], room):
        yield "\n".join([*header, part])


def _gathered(parts: Sequence[str], tokens_most: int) -> Iterator[str]:
    """Neighbours together while they fit. A part that does not fit is cut between words, at last between letters."""
    gathered, size = "", 0
    for part in parts:
        tokens = count(part)
        if gathered.strip() and size + tokens > tokens_most:
            yield gathered.strip()
            gathered, size = "", 0
        if tokens > tokens_most:
            *whole, part = _by_words(part, tokens_most)
            yield from whole
            tokens = count(part)
        gathered += part
        size += tokens
    if gathered.strip():
        yield gathered.strip()


def _by_words(text: str, tokens_most: int) -> list[str]:
    """Never empty."""
    letters_most = max(1, len(text) * tokens_most // count(text))
    pieces = []
    while len(text) > letters_most:
        at = next((found.start() for found in _backwards(text, letters_most)), letters_most)
        pieces.append(text[:at].strip())
        text = text[at:]
    return [piece for piece in pieces if piece] + [text]


def _backwards(text: str, end: int) -> Iterator[re.Match[str]]:
    """Places between words before `end`, the last first, not further back than half the way."""
    return reversed([found for found in WORD.finditer(text, end // 2, end) if found.start() > end // 2])


def _tail(text: str) -> str:
    """The last sentences within OVERLAP_TOKENS; of a longer one its last words."""
    sentences = [sentence for sentence in SENTENCE.split(text) if sentence.strip()]
    tail = ""
    while sentences and count(sentences[-1] + tail) <= OVERLAP_TOKENS:
        tail = sentences.pop() + tail
    if not tail.strip() and sentences:
        tail = _by_words(sentences[-1][-OVERLAP_TOKENS * 4 :], OVERLAP_TOKENS)[-1]
    return tail.strip()
