"""Where the words of a question stand in a passage, for a reader's eye: by their stems, as the search found them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gptbuilder.knowledge import stems
from gptbuilder.lib import words


@dataclass(frozen=True)
class Piece:
    """A part of a text; `is_hit` when it is one of the words that were looked for."""

    text: str
    is_hit: bool = False


def highlighted(text: str, asked: Iterable[str], language: str) -> list[Piece]:
    """The text in pieces. `asked` are words as `lib.words` splits them. Two queries, none without words."""
    wanted = set(asked)
    if not wanted:
        return [Piece(text)] if text else []
    places = list(_places(text))
    stem_of = stems.stems({word for _start, _end, word in places}, language)
    looked_for = wanted | set(stems.stems(wanted, language).values())
    hits = [(start, end) for start, end, word in places if word in wanted or stem_of.get(word) in looked_for]
    return list(_pieces(text, hits))


def _places(text: str) -> Iterator[tuple[int, int, str]]:
    """Each word with its place in the text as it stands; of a script without spaces every pair of neighbours."""
    for match in words.WORD.finditer(text):
        run, start = match[0], match.start()
        if not words.IS_UNSPACED.match(run):
            yield start, match.end(), words.plain(run)
            continue
        size = min(2, len(run))
        for at in range(len(run) - size + 1):
            yield start + at, start + at + size, words.plain(run[at : at + size])


def _pieces(text: str, hits: Iterable[tuple[int, int]]) -> Iterator[Piece]:
    """Hits that touch or overlap, as pairs of one Chinese word do, are one."""
    at = 0
    for start, end in _joined(hits):
        if start > at:
            yield Piece(text[at:start])
        yield Piece(text[start:end], is_hit=True)
        at = end
    if at < len(text):
        yield Piece(text[at:])


def _joined(hits: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    current: tuple[int, int] | None = None
    for start, end in hits:
        if current and start <= current[1]:
            current = (current[0], max(current[1], end))
            continue
        if current:
            yield current
        current = (start, end)
    if current:
        yield current
