"""The vectors in the database: written in batches, copied where the same text has one, searched exactly or nearly.

Up to EXACT_MOST passages are compared one by one through their contents' own index, which misses nothing. Beyond that
the graph of pgvector (HNSW) is walked, further and further until enough passages of the right contents were met.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from gptbuilder.gateway.embeddings import Vector as Numbers
from gptbuilder.knowledge.lexical import Scope
from gptbuilder.knowledge.models import EmbeddingIndex, Vector

EXACT_MOST = 20_000
# How far the graph is looked through before the first answer, and at most.
SEARCHED_FIRST = 200
SCANNED_MOST = 200_000
GRAPH_NEIGHBOURS, GRAPH_BUILD = 16, 64
GRAPH_ROW_BYTES = 600
BUILD_MEGABYTES = 4096

COPY = """
INSERT INTO knowledge_vector (index_id, content_id, passage_id, sha256, embedding)
SELECT %(index)s, passage.content_id, passage.id, passage.sha256, known.embedding
FROM knowledge_passage passage CROSS JOIN LATERAL (
  SELECT embedding FROM knowledge_vector WHERE sha256 = passage.sha256 AND index_id = %(index)s LIMIT 1
) known
WHERE passage.content_id = %(content)s AND NOT EXISTS (
  SELECT FROM knowledge_vector WHERE passage_id = passage.id AND index_id = %(index)s
)
ON CONFLICT (passage_id, index_id) DO NOTHING
"""
MISSING = """
SELECT passage.id, passage.title, passage.text, passage.sha256 FROM knowledge_passage passage
WHERE passage.content_id = %(content)s AND NOT EXISTS (
  SELECT FROM knowledge_vector WHERE passage_id = passage.id AND index_id = %(index)s
)
ORDER BY passage.position LIMIT %(count)s
"""
# A passage that was deleted meanwhile, or became another text, gets none.
WRITE = """
INSERT INTO knowledge_vector (index_id, content_id, passage_id, sha256, embedding)
SELECT %(index)s, passage.content_id, passage.id, passage.sha256, made.embedding::halfvec
FROM unnest(%(ids)s::bigint[], %(texts)s::text[], %(vectors)s::text[]) AS made(passage_id, sha256, embedding)
JOIN knowledge_passage passage ON passage.id = made.passage_id AND passage.sha256 = made.sha256
ON CONFLICT (passage_id, index_id) DO NOTHING
"""
EXACTLY = """
SELECT passage_id, 1 - (embedding <=> %(question)s::halfvec) FROM knowledge_vector
WHERE index_id = %(index)s AND content_id = ANY(%(contents)s)
ORDER BY embedding <=> %(question)s::halfvec LIMIT %(count)s
"""
# The index and its size stand in the statement: the graph is one of a part of the table, and of vectors of one size.
NEARLY = """
SELECT passage_id, 1 - (embedding <=> %(question)s::halfvec) AS closeness FROM (
  SELECT passage_id, embedding FROM knowledge_vector
  WHERE index_id = {index} AND content_id = ANY(%(contents)s)
  ORDER BY embedding::halfvec({size}) <=> %(question)s::halfvec({size}) LIMIT %(count)s
) found ORDER BY closeness DESC
"""
OF_PASSAGES = """
SELECT passage_id, 1 - (embedding <=> %(question)s::halfvec) FROM knowledge_vector
WHERE index_id = %(index)s AND passage_id = ANY(%(passages)s)
"""
OF_WORKSPACE = """
SELECT passage.title, passage.text, vector.embedding::text FROM knowledge_vector vector
JOIN knowledge_passage passage ON passage.id = vector.passage_id
JOIN knowledge_content content ON content.id = vector.content_id
WHERE vector.index_id = %s AND content.workspace_id = %s
"""


@dataclass(frozen=True)
class Missing:
    """A passage without a vector."""

    passage_id: int
    meaning: str
    sha256: str


def copy_known(index: EmbeddingIndex, content_id: str) -> None:
    """Give every passage of the content the vector that another passage of the same text has."""
    with connection.cursor() as cursor:
        cursor.execute(COPY, {"index": index.pk, "content": content_id})


def missing(index: EmbeddingIndex, content_id: str, count: int) -> list[Missing]:
    """The first passages without a vector, each text once."""
    with connection.cursor() as cursor:
        cursor.execute(MISSING, {"index": index.pk, "content": content_id, "count": count})
        rows = cursor.fetchall()
    found: dict[str, Missing] = {}
    for passage_id, title, text, sha256 in rows:
        found.setdefault(sha256, Missing(passage_id, f"{title}\n{text}" if title else text, sha256))
    return list(found.values())


def count(index: EmbeddingIndex, content_id: str) -> int:
    return Vector.objects.filter(index=index, content=content_id).count()


def write(index: EmbeddingIndex, passages: Sequence[Missing], made: Sequence[Numbers]) -> None:
    """Store vectors. A passage that has one keeps it."""
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE,
            {
                "index": index.pk,
                "ids": [passage.passage_id for passage in passages],
                "texts": [passage.sha256 for passage in passages],
                "vectors": [literal(numbers) for numbers in made],
            },
        )


def nearest(index: EmbeddingIndex, scope: Scope, question: Numbers, count: int) -> list[tuple[int, float]]:
    """The closest passages of the scope with their cosine, closest first."""
    asked: dict[str, Any] = {
        "index": index.pk,
        "contents": list(scope.content_ids),
        "question": literal(question),
        "count": count,
    }
    if scope.passage_count <= EXACT_MOST or not has_graph(index):
        return _rows(EXACTLY, asked)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', %s, true), "
            "set_config('hnsw.max_scan_tuples', %s, true)",
            [str(max(SEARCHED_FIRST, count)), str(SCANNED_MOST)],
        )
        cursor.execute(NEARLY.format(index=int(index.pk), size=int(index.dimensions or 0)), asked)
        return list(cursor.fetchall())


def closeness(index: EmbeddingIndex, passage_ids: Sequence[int], question: Numbers) -> dict[int, float]:
    """The cosine of these passages, of those that have a vector."""
    if not passage_ids:
        return {}
    return dict(_rows(OF_PASSAGES, {"index": index.pk, "passages": list(passage_ids), "question": literal(question)}))


def of_workspace(index: EmbeddingIndex, workspace_id: str) -> Iterator[tuple[str, Numbers]]:
    """The texts of a workspace's passages with their vectors, as halves hold them."""
    with connection.cursor() as cursor:
        cursor.execute(OF_WORKSPACE, [index.pk, workspace_id])
        for title, text, numbers in cursor.fetchall():
            yield f"{title}\n{text}" if title else text, tuple(json.loads(numbers))


def graph_name(index: EmbeddingIndex) -> str:
    return f"knowledge_graph_{int(index.pk)}"


def has_graph(index: EmbeddingIndex) -> bool:
    """Whether the graph is there and whole. One quick query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)::oid", [graph_name(index)])
        row = cursor.fetchone()
    return bool(row and row[0])


def build_graph(index: EmbeddingIndex) -> None:
    """Make the graph of an index while it is in use. Outside of any transaction; takes minutes for a million."""
    name, size = graph_name(index), int(index.dimensions or 0)
    with connection.cursor() as cursor:
        # What an interrupted attempt left is in the way and of no use.
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        cursor.execute("SELECT count(*) FROM knowledge_vector WHERE index_id = %s", [index.pk])
        # A graph that does not fit is finished on the disk, which takes ten times as long.
        needed = int(cursor.fetchone()[0]) * (2 * size + GRAPH_ROW_BYTES) // 2**20
        memory = min(max(needed, 64), BUILD_MEGABYTES)
        cursor.execute("SELECT set_config('maintenance_work_mem', %s, false)", [f"{memory}MB"])
        cursor.execute(
            f"CREATE INDEX CONCURRENTLY {name} ON knowledge_vector "
            f"USING hnsw ((embedding::halfvec({size})) halfvec_cosine_ops) "
            f"WITH (m = {GRAPH_NEIGHBOURS}, ef_construction = {GRAPH_BUILD}) WHERE index_id = {int(index.pk)}"
        )
        cursor.execute("RESET maintenance_work_mem")


def drop_graph(index: EmbeddingIndex) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX IF EXISTS {graph_name(index)}")


def literal(numbers: Numbers) -> str:
    """As pgvector reads it; halves hold no more than four digits."""
    return "[" + ",".join(f"{number:.5g}" for number in numbers) + "]"


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[int, float]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
