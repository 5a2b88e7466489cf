"""Search over files, by words and by meaning at once: one ranked list over all of them, and why each passage is in it.

Which files may be searched is the caller's to say, by their ids; no other passage is read, and the last query, which
fetches the passages, asks for the files once more. When the embedding model does not answer, words alone find, and the
result says so.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import connection

from gptbuilder.gateway import embeddings, reranking
from gptbuilder.gateway.embeddings import Vector
from gptbuilder.gateway.errors import GatewayError
from gptbuilder.gateway.types import Provider
from gptbuilder.knowledge import embedding, fusion, indexes, lexical, vectors
from gptbuilder.knowledge.lexical import Scope, Scores
from gptbuilder.knowledge.models import EmbeddingIndex

log = logging.getLogger(__name__)

# What each search hands on.
CANDIDATES = 100
LIMIT = 20
# A question is a sentence or a paragraph; what is longer is no question, and its end says no more.
QUESTION_LETTERS = 4_000
RERANKED = 40
# Neither PostgreSQL nor JSON takes them.
NO_TEXT = re.compile("[\x00\ud800-\udfff]")

SCOPE = """
SELECT content.id, content.language, content.passage_count, content.word_count
FROM knowledge_content content
WHERE content.passage_count > 0 AND content.id IN (
  SELECT content_id FROM knowledge_knowledgefile WHERE id = ANY(%s) AND content_id IS NOT NULL
)
"""
# A content with several of the files is found by the one that was named first.
FOUND = """
SELECT DISTINCT ON (passage.id) passage.id, file.id, file.name, passage.content_id, passage.position, passage.kind,
  passage.number, passage.title, passage.text, passage.overlap
FROM knowledge_passage passage
JOIN knowledge_knowledgefile file ON file.content_id = passage.content_id
WHERE passage.id = ANY(%s) AND file.id = ANY(%s)
ORDER BY passage.id, array_position(%s::text[], file.id::text)
"""

FETCHED = (
    "passage_id", "file_id", "file_name", "content_id", "position", "kind", "number", "title", "text", "overlap",
)  # fmt: skip


@dataclass(frozen=True)
class Hit:
    """A passage and why it was found. Ranks count from 1 in each search; None where it did not find the passage.

    `lexical` is BM25, `dense` the cosine (None without a vector), `fused` lies between 0 and 1, `reranked` is the
    reranking model's own scale. `words` are those of the question that the passage has. The first `overlap`
    characters of `text` repeat the end of the passage before.
    """

    passage_id: int
    file_id: str
    file_name: str
    content_id: str
    position: int
    kind: str
    number: int | None
    title: str
    text: str
    overlap: int
    fused: float
    lexical: float = 0.0
    lexical_rank: int | None = None
    dense: float | None = None
    dense_rank: int | None = None
    reranked: float | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """The hits, best first. `by_meaning` is false when words alone found them; `problem` then is the GatewayError's
    code, or empty when no embedding model is set up or no vectors are there yet."""

    hits: tuple[Hit, ...] = ()
    by_meaning: bool = False
    problem: str = ""

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)


@dataclass(frozen=True)
class _Meaning:
    """What the dense search says."""

    found: tuple[tuple[int, float], ...] = ()
    index: EmbeddingIndex | None = None
    question: Vector = ()
    problem: str = ""


def search(
    file_ids: Sequence[str],
    question: str,
    limit: int = LIMIT,
    *,
    rerank: bool = True,
    vector: Vector | None = None,
) -> Found:
    """The best passages of these files. Erased files, and those not read yet, have none.

    Eight queries or so; waits for the embedding model at most embedding.QUESTION_SECONDS, or not at all when the
    question's `vector` by the serving model is given.
    """
    question = NO_TEXT.sub(" ", question[:QUESTION_LETTERS]).strip()
    scope = scope_of(file_ids)
    if not question or not scope.passage_count:
        return Found()
    index = indexes.serving()
    asked = (lambda: [vector]) if vector is not None else _begin(index, question)
    scores = lexical.search(scope, question)
    meaning = _nearest(index, scope, asked) if index and asked else _Meaning()
    hits = _hits(file_ids, scores, meaning, max(limit, RERANKED if rerank and settings.RERANK_BASE_URL else 0))
    if rerank and settings.RERANK_BASE_URL:
        hits = _reranked(question, hits)
    return Found(tuple(hits[:limit]), by_meaning=bool(meaning.found), problem=meaning.problem)


def scope_of(file_ids: Sequence[str]) -> Scope:
    """What there is to be searched of these files. One query."""
    with connection.cursor() as cursor:
        cursor.execute(SCOPE, [list(file_ids)])
        rows = cursor.fetchall()
    return Scope(
        content_ids=tuple(row[0] for row in rows),
        languages=frozenset(row[1] for row in rows),
        passage_count=sum(row[2] for row in rows),
        word_count=sum(row[3] for row in rows),
    )


def _begin(index: EmbeddingIndex | None, question: str) -> Callable[[], list[Vector]] | None:
    """Ask the embedding model; the words are looked for meanwhile."""
    endpoint = embedding.of_index(index) if index else None
    if endpoint is None:
        return None
    model = embedding.for_questions(endpoint)
    return embeddings.begin(model, [question], "query", timeout_seconds=embedding.QUESTION_SECONDS)


def _nearest(index: EmbeddingIndex, scope: Scope, asked: Callable[[], list[Vector]]) -> _Meaning:
    try:
        [vector] = asked()
    except GatewayError as error:
        log.warning("searched by words alone", extra={"code": error.code, "detail": str(error)})
        return _Meaning(problem=error.code)
    if len(vector) != index.dimensions:
        # No vectors yet, or the model became another one.
        return _Meaning(problem="garbage" if index.dimensions else "")
    return _Meaning(tuple(vectors.nearest(index, scope, vector, CANDIDATES)), index, vector)


def _hits(file_ids: Sequence[str], scores: Scores | None, meaning: _Meaning, count: int) -> list[Hit]:
    by_words = scores.best(max(CANDIDATES, count)) if scores else []
    candidates = dict(meaning.found)
    dense = dict(candidates)
    if meaning.index is not None:
        rest = [passage for passage in by_words if passage not in dense]
        dense |= vectors.closeness(meaning.index, rest, meaning.question)
    words = {passage: scores.of(passage) for passage in (*by_words, *dense)} if scores else {}
    joined = fusion.fused(words, scores.complete if scores else 0.0, dense, candidates)
    best = sorted(joined, key=lambda passage: (-joined[passage], passage))[:count]
    lexical_ranks = {passage: rank for rank, passage in enumerate(by_words, 1)}
    dense_ranks = {passage: rank for rank, (passage, _) in enumerate(meaning.found, 1)}
    rows = _fetched(best, file_ids)
    return [
        Hit(
            **rows[passage],
            fused=joined[passage],
            lexical=words.get(passage, 0.0),
            lexical_rank=lexical_ranks.get(passage),
            dense=dense.get(passage),
            dense_rank=dense_ranks.get(passage),
            words=scores.words_of(passage) if scores else (),
        )
        for passage in best
        if passage in rows
    ]


def _fetched(passage_ids: Sequence[int], file_ids: Sequence[str]) -> dict[int, dict[str, Any]]:
    """The fields of a hit that the database knows."""
    ids = list(file_ids)
    with connection.cursor() as cursor:
        cursor.execute(FOUND, [list(passage_ids), ids, ids])
        return {row[0]: dict(zip(FETCHED, row, strict=True)) for row in cursor.fetchall()}


def _reranked(question: str, hits: list[Hit]) -> list[Hit]:
    """In the order of the reranking model; in ours when it does not answer."""
    provider = Provider(settings.RERANK_BASE_URL, settings.RERANK_API_KEY, connect_timeout_seconds=3, max_retries=0)
    some = hits[:RERANKED]
    passages = [f"{hit.title}\n{hit.text}" if hit.title else hit.text for hit in some]
    if not passages:
        return hits
    try:
        scores = reranking.rerank(provider, settings.RERANK_MODEL, question, passages)
    except GatewayError as error:
        log.warning("found passages keep their order", extra={"code": error.code, "detail": str(error)})
        return hits
    some = [replace(hit, reranked=score) for hit, score in zip(some, scores, strict=True)]
    return sorted(some, key=lambda hit: -(hit.reranked or 0.0)) + hits[RERANKED:]
