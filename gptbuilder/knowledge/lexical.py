"""Search by words: an inverted index in rows, and BM25 summed from it.

Of each content and each of its words there is a row with the passages that have it. A search reads the rows of its own
files and of its own words, whatever else the installation holds, and nothing is weighed by the words of strangers: how
rare a word is, and how long a passage is on average, are counted over the files that are searched.

Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import connection
from psycopg import sql

from gptbuilder.knowledge import stems
from gptbuilder.knowledge.models import Posting
from gptbuilder.lib import words

if TYPE_CHECKING:
    import numpy

    Numbers = numpy.ndarray[Any, numpy.dtype[Any]]

K1 = 0.9
B = 0.4
# A word of more passages tells little: it is only read while the rarer ones leave room.
ENTRIES_MOST = 250_000
TERMS_MOST = 200
PART_PASSAGES = 10_000
DENSE_MOST = 4_000_000
COUNT_MOST = 32_767
ENTRY = [("passage", ">i8"), ("count", ">i2"), ("length", ">i2")]

COUNTS = """
SELECT lexeme, sum(passage_count)::bigint FROM knowledge_posting
WHERE content_id = ANY(%s) AND lexeme = ANY(%s) GROUP BY lexeme
"""
ENTRIES = """
SELECT lexeme, string_agg(entries, '') FROM knowledge_posting
WHERE content_id = ANY(%s) AND lexeme = ANY(%s) GROUP BY lexeme
"""


@dataclass(frozen=True)
class Scope:
    """What is searched: contents, their languages, and how many passages and words they have together."""

    content_ids: tuple[str, ...]
    languages: frozenset[str]
    passage_count: int
    word_count: int


@dataclass(frozen=True)
class Scores:
    """BM25 of every passage that has one of the words, by ascending id. `holders` are the passages of each stem.

    `complete` is what a passage of average length scores that has every word of the question once.
    """

    complete: float
    passage_ids: Numbers
    values: Numbers
    holders: dict[str, Numbers]
    words: dict[str, tuple[str, ...]]

    def best(self, count: int) -> list[int]:
        """Ids of the best passages, best first; of equals the earlier."""
        import numpy

        candidates = numpy.arange(len(self.values))
        if len(self.values) > count:
            least = numpy.partition(self.values, len(self.values) - count)[len(self.values) - count]
            candidates = numpy.flatnonzero(self.values >= least)
        order = numpy.lexsort((self.passage_ids[candidates], -self.values[candidates]))
        return [int(number) for number in self.passage_ids[candidates[order[:count]]]]

    def of(self, passage_ids: Sequence[int]) -> dict[int, float]:
        """The scores of these passages; zero for those that have none of the words."""
        import numpy

        asked = numpy.array(passage_ids, dtype=numpy.int64)
        if not len(asked) or not len(self.passage_ids):
            return dict.fromkeys(passage_ids, 0.0)
        places = numpy.minimum(numpy.searchsorted(self.passage_ids, asked), len(self.passage_ids) - 1)
        values = numpy.where(self.passage_ids[places] == asked, self.values[places], 0.0)
        return dict(zip(passage_ids, values.tolist(), strict=True))

    def words_of(self, passage_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """The words of the question that each passage has, as they were asked."""
        import numpy

        asked = numpy.array(passage_ids, dtype=numpy.int64)
        found: dict[int, dict[str, None]] = {passage: {} for passage in passage_ids}
        for stem, ids in self.holders.items():
            for passage in ids[numpy.isin(ids, asked)].tolist():
                found[passage] |= dict.fromkeys(self.words[stem])
        return {passage: tuple(words) for passage, words in found.items()}


# --- Writing -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Analysis:
    """The words of all passages of a content, counted by stem."""

    language: str
    counts: list[Counter[str]]

    @property
    def word_count(self) -> int:
        return sum(counts.total() for counts in self.counts)


def analyse(texts: Sequence[str]) -> Analysis:
    """Split, find the language, stem. Two queries; what it costs is Python's."""
    split = [words.words(text) for text in texts]
    language = stems.language_of([word for each in split for word in each])
    known = stems.stems({word for each in split for word in each}, language)
    counts = [Counter(stem for word in each if (stem := known.get(word))) for each in split]
    return Analysis(language, counts)


def write(content_id: str, passage_ids: Sequence[int], analysis: Analysis) -> None:
    """Replace the content's index. Within the caller's transaction; the ids are those of the analysed texts."""
    Posting.objects.filter(content_id=content_id).delete()
    pairs = list(zip(passage_ids, analysis.counts, strict=True))
    columns = sql.SQL("COPY knowledge_posting (content_id, part, lexeme, passage_count, entries) FROM STDIN")
    with connection.cursor() as cursor, cursor.cursor.copy(columns) as copy:
        for part, start in enumerate(range(0, len(pairs), PART_PASSAGES)):
            for lexeme, entries in _inverted(pairs[start : start + PART_PASSAGES]):
                copy.write_row((content_id, part, lexeme, len(entries) // 12, bytes(entries)))


def _inverted(passages: Sequence[tuple[int, Counter[str]]]) -> Iterator[tuple[str, bytearray]]:
    postings: dict[str, bytearray] = {}
    for passage_id, counts in passages:
        length = min(counts.total(), COUNT_MOST).to_bytes(2, "big")
        name = passage_id.to_bytes(8, "big")
        for stem, count in counts.items():
            postings.setdefault(stem, bytearray()).extend(name + min(count, COUNT_MOST).to_bytes(2, "big") + length)
    yield from postings.items()


# --- Searching -----------------------------------------------------------------------------------


def search(scope: Scope, question: str) -> Scores | None:
    """BM25 over the scope; None when the question has no word that the scope's index could have."""
    asked = list(dict.fromkeys(words.words(question)))[:TERMS_MOST]
    by_stem: dict[str, list[str]] = {}
    for language in sorted(scope.languages):
        for word, stem in stems.stems(asked, language).items():
            if word not in by_stem.setdefault(stem, []):
                by_stem[stem].append(word)
    if not by_stem or not scope.passage_count:
        return None
    counts = _counts(scope, list(by_stem))
    read = _worth_reading(counts)
    entries = _entries(scope, read)
    complete = sum(_rarity(scope, counts.get(stem, 0)) for stem in by_stem)
    return _summed(scope, complete, {stem: entries[stem] for stem in read if stem in entries}, by_stem)


def _worth_reading(counts: dict[str, int]) -> list[str]:
    """The rarest first, until there are too many entries; at least one."""
    chosen: list[str] = []
    room = ENTRIES_MOST
    for stem in sorted(counts, key=lambda stem: (counts[stem], stem)):
        room -= counts[stem]
        if chosen and room < 0:
            break
        chosen.append(stem)
    return chosen


def _counts(scope: Scope, lexemes: list[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [list(scope.content_ids), lexemes])
        return dict(cursor.fetchall())


def _entries(scope: Scope, lexemes: list[str]) -> dict[str, bytes]:
    # In binary: PostgreSQL's text of bytes is twice as long and must be read letter by letter.
    with connection.cursor() as cursor, psycopg.Cursor(cursor.connection) as native:
        native.execute(ENTRIES, [list(scope.content_ids), lexemes], binary=True)
        return {lexeme: bytes(entries) for lexeme, entries in native.fetchall()}


def _summed(scope: Scope, complete: float, entries: dict[str, bytes], by_stem: dict[str, list[str]]) -> Scores:
    import numpy

    average = max(1.0, scope.word_count / scope.passage_count)
    holders: dict[str, Numbers] = {}
    values: list[Numbers] = [numpy.zeros(0)]
    for stem, found in entries.items():
        rows = numpy.frombuffer(found, dtype=ENTRY)
        rarity = _rarity(scope, len(rows))
        count = rows["count"].astype(numpy.float64)
        length = rows["length"].astype(numpy.float64)
        holders[stem] = rows["passage"].astype(numpy.int64)
        values.append(rarity * count * (K1 + 1) / (count + K1 * (1 - B + B * length / average)))
    ids = numpy.concatenate([numpy.zeros(0, dtype=numpy.int64), *holders.values()])
    passage_ids, summed = _by_passage(ids, numpy.concatenate(values))
    return Scores(complete, passage_ids, summed, holders, {stem: tuple(asked) for stem, asked in by_stem.items()})


def _rarity(scope: Scope, passage_count: int) -> float:
    return math.log(1 + max(0.0, scope.passage_count - passage_count + 0.5) / (passage_count + 0.5))


def _by_passage(ids: Numbers, values: Numbers) -> tuple[Numbers, Numbers]:
    """The sum of the values of each id, by ascending id."""
    import numpy

    first = int(ids.min()) if len(ids) else 0
    span = int(ids.max()) - first + 1 if len(ids) else 0
    if span <= DENSE_MOST:
        # Ids given out together lie together: counting into a row of places is ten times faster than sorting.
        sums = numpy.bincount(ids - first, weights=values, minlength=span)
        places = numpy.flatnonzero(sums)
        return places + first, sums[places]
    passage_ids, places = numpy.unique(ids, return_inverse=True)
    return passage_ids, numpy.bincount(places, weights=values, minlength=len(passage_ids))
