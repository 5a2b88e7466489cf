"""What the retrieval pages show: hits with their scores as bars, passages of a file, cases, recall over time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext_lazy as _

from gptbuilder.gpts.files import Held
from gptbuilder.knowledge import cases, lexical, marking, places, search, trials
from gptbuilder.knowledge.marking import Piece
from gptbuilder.knowledge.models import Passage, RetrievalCase, RetrievalTrial
from gptbuilder.knowledge.search import Hit

LIMIT = 20
PASSAGES_A_PAGE = 20
WITH_WORDS_MOST = 200
BAR = 100
# The weakest of a list still has a bar: it is a hit.
FLOOR = 8
EXCERPT = 280
BEFORE = 80
WORD = 16

CHART_WIDTH, CHART_HEIGHT = 480.0, 96.0

# By the case: as its file and the hash of its passage, the id.
Wanted = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class State:
    """How much of the files can be searched, and how."""

    passages: int
    embedded: int
    reading: int
    failed: int

    @property
    def lacks_vectors(self) -> bool:
        return self.embedded < self.passages


@dataclass(frozen=True)
class Bar:
    """One score: `value` as it is, `width` of 100 against the best of the list."""

    label: Any
    value: float
    width: int
    rank: int | None = None


@dataclass(frozen=True)
class Shown:
    """A passage on a page. `case_id` is the case that wants it for the question at hand."""

    passage_id: int
    file_id: str
    file_name: str
    place: str
    pieces: list[Piece]
    case_id: str
    rank: int = 0
    bars: tuple[Bar, ...] = ()
    words: tuple[str, ...] = ()
    by_meaning: bool = False

    @property
    def excerpt(self) -> list[Piece]:
        """From a little before the first marked word; the whole text when it is short."""
        return excerpt(self.pieces)

    @property
    def is_cut(self) -> bool:
        return sum(len(piece.text) for piece in self.pieces) > EXCERPT


@dataclass(frozen=True)
class Result:
    """What a question found."""

    hits: list[Shown]
    by_meaning: bool
    problem: str

    @property
    def first(self) -> list[Shown]:
        """Those that recall counts."""
        return self.hits[: trials.FIRST]

    @property
    def later(self) -> list[Shown]:
        return self.hits[trials.FIRST :]

    @property
    def shows_later(self) -> bool:
        """Whether one that should be found is further down."""
        return any(shown.case_id for shown in self.later)


@dataclass(frozen=True)
class CaseLine:
    """A case and how it went in the last trial; no outcome when it was not tried yet."""

    case: RetrievalCase
    file_name: str
    place: str
    outcome: str
    rank: int | None


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    percent: int
    ended_at: datetime | None
    found: int
    cases: int


@dataclass(frozen=True)
class Chart:
    """Recall over time. `line` is the points of a polyline."""

    points: list[Point]
    line: str
    width: float = CHART_WIDTH
    height: float = CHART_HEIGHT
    # For half of the line's thickness at the top and at the bottom.
    room: float = CHART_HEIGHT + 8

    @property
    def percent(self) -> int:
        return self.points[-1].percent if self.points else 0

    @property
    def found(self) -> int:
        return self.points[-1].found if self.points else 0

    @property
    def newest_first(self) -> list[Point]:
        return self.points[::-1]


def state(held: Sequence[Held]) -> State:
    contents = {one.file.content for one in held if one.file and one.file.content}
    return State(
        passages=sum(content.passage_count for content in contents),
        embedded=sum(content.embedded_count for content in contents if content.is_searchable),
        reading=sum(not content.is_searchable and content.state != content.State.FAILED for content in contents),
        failed=sum(not content.is_searchable and content.state == content.State.FAILED for content in contents),
    )


def search_files(held: Sequence[Held], question: str, wanted: Wanted) -> Result:
    """The best passages of these files, marked and measured."""
    names = {one.id: one.name for one in held if not one.is_missing}
    found = search.search(list(names), question, LIMIT)
    marks = marking.marked([(hit.content_id, hit.text) for hit in found], question)
    best_words = max((hit.lexical for hit in found), default=0.0)
    closeness = [hit.dense for hit in found if hit.dense is not None]
    hits = [
        Shown(
            passage_id=hit.passage_id,
            file_id=hit.file_id,
            file_name=names[hit.file_id],
            place=places.place(hit.kind, hit.number, hit.title),
            pieces=pieces,
            case_id=wanted.get((hit.file_id, cases.sha256(hit.text)), ""),
            rank=rank,
            bars=_bars(hit, best_words, closeness),
            words=hit.words,
            by_meaning=hit.dense_rank is not None,
        )
        for rank, (hit, pieces) in enumerate(zip(found, marks, strict=True), 1)
    ]
    return Result(hits, found.by_meaning, found.problem)


def _bars(hit: Hit, best_words: float, closeness: Sequence[float]) -> tuple[Bar, ...]:
    bars = [Bar(_("Words"), hit.lexical, round(BAR * hit.lexical / best_words) if best_words else 0, hit.lexical_rank)]
    if hit.dense is not None:
        # Models spread their numbers differently and narrowly: only the differences within a list say something.
        far, close = min(closeness), max(closeness)
        share = (hit.dense - far) / (close - far) if close > far else 1.0
        bars.append(Bar(_("Meaning"), hit.dense, round(FLOOR + (BAR - FLOOR) * share), hit.dense_rank))
    return (*bars, Bar(_("Together"), hit.fused, round(BAR * min(1.0, hit.fused))))


def excerpt(pieces: Sequence[Piece]) -> list[Piece]:
    """About EXCERPT letters from a little before the first marked word, cut between words where there are spaces."""
    text = "".join(piece.text for piece in pieces)
    if len(text) <= EXCERPT:
        return list(pieces)
    unmarked = itertools.takewhile(lambda piece: not piece.is_hit, pieces)
    first = sum(len(piece.text) for piece in unmarked)
    start = max(0, first - BEFORE) if first < len(text) else 0
    end = min(len(text), start + EXCERPT)
    if start and (space := text.find(" ", start, start + WORD)) > 0:
        start = space + 1
    if end < len(text) and (space := text.rfind(" ", end - WORD, end)) > 0:
        end = space
    shown, at = [Piece("… ", is_hit=False)] if start else [], 0
    for piece in pieces:
        if cut := piece.text[max(0, start - at) : max(0, end - at)]:
            shown.append(Piece(cut, piece.is_hit))
        at += len(piece.text)
    return [*shown, Piece(" …", is_hit=False)] if end < len(text) else shown


def browse(file: Held, looked_for: str, page: str, wanted: Wanted) -> tuple[list[Shown], Page[Any]]:
    """A page of the file's passages in their order, or of those that have the words, the best first."""
    everything = Passage.objects.filter(content=file.file.content_id if file.file else None)
    rows: Page[Any]
    if looked_for:
        scores = lexical.search(search.scope_of([file.id]), looked_for)
        rows = Paginator(scores.best(WITH_WORDS_MOST) if scores else [], PASSAGES_A_PAGE).get_page(page)
        by_id = everything.in_bulk(list(rows))
        passages = [by_id[pk] for pk in rows if pk in by_id]
    else:
        rows = Paginator(everything.order_by("position"), PASSAGES_A_PAGE).get_page(page)
        passages = list(rows)
    marks = marking.marked([(passage.content_id, passage.text) for passage in passages], looked_for)
    shown = [
        Shown(
            passage_id=passage.pk,
            file_id=file.id,
            file_name=file.name,
            place=places.place(passage.kind, passage.number, passage.title),
            pieces=pieces,
            case_id=wanted.get((file.id, cases.sha256(passage.text)), ""),
        )
        for passage, pieces in zip(passages, marks, strict=True)
    ]
    return shown, rows


def lines(kept: Sequence[RetrievalCase], history: Sequence[RetrievalTrial], names: Mapping[str, str]) -> list[CaseLine]:
    """The cases, those that were not found first."""
    outcomes = {outcome["case"]: outcome for outcome in history[-1].outcomes} if history else {}
    found = []
    for case in kept:
        outcome = outcomes.get(case.pk, {"outcome": "", "rank": None})
        where = places.place(case.kind, case.number, case.title)
        name = names.get(case.file_id, case.file_name)
        found.append(CaseLine(case, name, where, outcome["outcome"], outcome["rank"]))
    return sorted(found, key=lambda line: line.outcome == trials.FOUND)


def chart(history: Sequence[RetrievalTrial]) -> Chart:
    step = CHART_WIDTH / max(1, len(history) - 1)
    points = []
    for at, trial in enumerate(history):
        recall = trial.recall or 0.0
        points.append(
            Point(
                x=round(at * step if len(history) > 1 else CHART_WIDTH, 1),
                y=round((1 - recall) * CHART_HEIGHT, 1),
                percent=round(100 * recall),
                ended_at=trial.ended_at,
                found=sum(outcome["outcome"] == trials.FOUND for outcome in trial.outcomes),
                cases=trial.case_count,
            )
        )
    return Chart(points, " ".join(f"{point.x},{point.y}" for point in points))
