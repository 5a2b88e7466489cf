"""A collection of documents with judged questions (the BEIR form), put through the ordinary path in a workspace that is
removed afterwards."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from gptbuilder.gateway import embeddings
from gptbuilder.gateway.embeddings import EmbeddingModel, Purpose, Vector
from gptbuilder.knowledge import embedding, erasing, filling, indexes, indexing, measuring, search, vectors
from gptbuilder.knowledge.models import Content, EmbeddingIndex, KnowledgeFile
from gptbuilder.workspaces.models import Workspace

# Every candidate of both searches.
DEPTH = 2 * search.CANDIDATES
QUESTIONS_AT_ONCE = 32
MISSING_AT_ONCE = 500

Say = Callable[[str], None]


class Unusable(Exception):
    """The folder holds no collection, or its documents could not be indexed."""


@dataclass(frozen=True)
class Collection:
    """Documents as Markdown by their id, questions by theirs, and the judged documents of each question."""

    documents: dict[str, str]
    questions: dict[str, str]
    relevant: dict[str, dict[str, int]]


@dataclass
class Judged:
    """The sums of one way of searching."""

    ndcg10: float = 0.0
    recall10: float = 0.0
    recall100: float = 0.0
    mrr10: float = 0.0

    def add(self, ranking: Sequence[str], relevant: measuring.Relevance) -> None:
        self.ndcg10 += measuring.ndcg(ranking, relevant)
        self.recall10 += measuring.recall(ranking, relevant, 10)
        self.recall100 += measuring.recall(ranking, relevant, 100)
        self.mrr10 += measuring.reciprocal_rank(ranking, relevant)


@dataclass
class Evaluation:
    """What was measured. `dense` says nothing when no embedding model is set up."""

    documents: int
    questions: int = 0
    has_meaning: bool = False
    ways: dict[str, Judged] = field(default_factory=lambda: {way: Judged() for way in ("lexical", "dense", "hybrid")})
    milliseconds: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        mean = {
            f"{way}_{name}": total / max(1, self.questions)
            for way, judged in self.ways.items()
            for name, total in vars(judged).items()
        }
        return {
            **mean,
            "query_ms_p50": measuring.percentile(self.milliseconds, 0.5),
            "query_ms_p95": measuring.percentile(self.milliseconds, 0.95),
            "documents": float(self.documents),
            "queries": float(self.questions),
        }


def read(folder: Path) -> Collection:
    """Raises `Unusable`."""
    try:
        documents = {str(row["id"]): _markdown(row) for row in _rows(folder / "corpus.jsonl")}
        questions = {str(row["id"]): str(row["text"]) for row in _rows(folder / "queries.jsonl")}
        relevant: dict[str, dict[str, int]] = {}
        for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
            question, document, grade = line.split("\t")
            relevant.setdefault(question, {})[document] = int(grade)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unusable(
            f"{folder} must hold corpus.jsonl, queries.jsonl and qrels.tsv in the BEIR form ({error})."
        ) from error
    judged = {question: text for question, text in questions.items() if question in relevant}
    if not documents or not judged:
        raise Unusable(f"{folder} has no documents, or no judged questions.")
    return Collection(documents, judged, relevant)


def evaluate(collection: Collection, cache: Path | None, say: Say, questions_most: int | None = None) -> Evaluation:
    """Index, search, judge, remove. Raises `Unusable`."""
    with _scratch() as workspace:
        names = _store(collection, workspace)
        say(f"{len(names)} documents stored")
        _index(names, say)
        index, store = _embed(workspace, cache, say)
        evaluation = Evaluation(len(names), has_meaning=index is not None)
        texts = list(collection.questions.items())[:questions_most]
        known = _question_vectors([text for _, text in texts], index, store)
        for number, (question, text) in enumerate(texts, 1):
            _judge(evaluation, text, names, collection.relevant[question], known.get(text))
            if number % 200 == 0:
                say(f"{number} questions asked")
        return evaluation


def _judge(
    evaluation: Evaluation, text: str, names: dict[str, str], relevant: dict[str, int], vector: Vector | None
) -> None:
    began = time.perf_counter()
    found = search.search(list(names), text, DEPTH, rerank=False, vector=vector)
    evaluation.milliseconds.append((time.perf_counter() - began) * 1000)
    evaluation.questions += 1
    by_words = sorted((hit for hit in found if hit.lexical_rank), key=lambda hit: hit.lexical_rank or 0)
    by_meaning = sorted((hit for hit in found if hit.dense_rank), key=lambda hit: hit.dense_rank or 0)
    for way, hits in (("lexical", by_words), ("dense", by_meaning), ("hybrid", list(found))):
        evaluation.ways[way].add(list(dict.fromkeys(names[hit.file_id] for hit in hits)), relevant)


@contextmanager
def _scratch() -> Iterator[Workspace]:
    workspace = Workspace.objects.create(name="Evaluation")
    try:
        yield workspace
    finally:
        erasing.erase(KnowledgeFile.objects.filter(workspace=workspace), timezone.now())
        erasing.forget(Content.objects.filter(workspace=workspace))
        workspace.delete()


def _store(collection: Collection, workspace: Workspace) -> dict[str, str]:
    """Store every document as a file; gives the document of each file. Documents of the same text share their bytes."""
    names: dict[str, str] = {}
    known: dict[str, Content] = {}
    for document, text in collection.documents.items():
        data = text.encode()
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in known:
            content = Content(workspace=workspace, sha256=sha256, size_bytes=len(data), heartbeat_at=timezone.now())
            content.file.save("document.md", ContentFile(data), save=False)
            content.save()
            known[sha256] = content
        file = KnowledgeFile.objects.create(
            workspace=workspace, content=known[sha256], name="document.md", size_bytes=len(data)
        )
        names[file.pk] = document
    return names


def _index(names: dict[str, str], say: Say) -> None:
    ids = list(Content.objects.filter(files__in=names).distinct().order_by("pk").values_list("pk", flat=True))
    for number, content_id in enumerate(ids, 1):
        indexing.index(content_id)
        if number % 500 == 0:
            say(f"{number} documents read")
    failed = Content.objects.filter(pk__in=ids, state=Content.State.FAILED)
    if failed.exists():
        say(f"{failed.count()} documents could not be read, such as: {failed.values_list('outcome', flat=True)[0]}")
    if len(ids) == failed.count():
        raise Unusable("None of the documents could be read.")


def _embed(workspace: Workspace, cache: Path | None, say: Say) -> tuple[EmbeddingIndex | None, _Cache | None]:
    indexes.ensure()
    index = indexes.serving()
    endpoint = embedding.of_index(index) if index else None
    if index is None or endpoint is None:
        return None, None
    store = _Cache(cache, endpoint.model) if cache else None
    mine = Content.objects.filter(workspace=workspace)
    if store:
        for content_id in mine.filter(state=Content.State.WORDS).values_list("pk", flat=True):
            _recall(index, content_id, store)
    while waiting := mine.filter(state=Content.State.WORDS).count():
        say(f"{waiting} documents wait for their vectors")
        filling.fill()
        stuck = mine.exclude(embedding_error="").first()
        if stuck is not None:
            raise Unusable(f"The embedding model does not answer: {stuck.embedding_error}.")
    if store:
        store.keep(index, workspace)
    return EmbeddingIndex.objects.get(pk=index.pk), store


def _recall(index: EmbeddingIndex, content_id: str, store: _Cache) -> None:
    passages = vectors.missing(index, content_id, MISSING_AT_ONCE)
    known = [(passage, found) for passage in passages if (found := store.get(passage.meaning, "passage"))]
    if known and indexes.learn_dimensions(index, len(known[0][1])):
        vectors.write(index, [passage for passage, _ in known], [found for _, found in known])


def _question_vectors(texts: Sequence[str], index: EmbeddingIndex | None, store: _Cache | None) -> dict[str, Vector]:
    """With a cache, so that the time of a search is that of the database; without one every question is embedded."""
    if index is None or store is None:
        return {}
    known = {text: found for text in texts if (found := store.get(text, "query"))}
    rest = [text for text in dict.fromkeys(texts) if text not in known]
    for start in range(0, len(rest), QUESTIONS_AT_ONCE):
        some = rest[start : start + QUESTIONS_AT_ONCE]
        for text, vector in zip(some, embeddings.embed(store.model, some, "query"), strict=True):
            store.put(text, "query", vector)
            known[text] = vector
    return known


class _Cache:
    """Vectors of a model kept in a file between evaluations."""

    def __init__(self, folder: Path, model: EmbeddingModel) -> None:
        self.model = model
        folder.mkdir(parents=True, exist_ok=True)
        name = "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in model.name)
        self._rows = sqlite3.connect(folder / f"{name}.sqlite", timeout=60, isolation_level=None)
        self._rows.execute("CREATE TABLE IF NOT EXISTS vector (sha256 TEXT PRIMARY KEY, numbers BLOB NOT NULL)")

    def get(self, text: str, purpose: Purpose) -> Vector | None:
        row = self._rows.execute("SELECT numbers FROM vector WHERE sha256 = ?", [self._key(text, purpose)]).fetchone()
        return struct.unpack(f"<{len(row[0]) // 4}f", row[0]) if row else None

    def put(self, text: str, purpose: Purpose, vector: Vector) -> None:
        numbers = struct.pack(f"<{len(vector)}f", *vector)
        self._rows.execute("INSERT OR IGNORE INTO vector VALUES (?, ?)", [self._key(text, purpose), numbers])

    def keep(self, index: EmbeddingIndex, workspace: Workspace) -> None:
        for passage_meaning, vector in vectors.of_workspace(index, workspace.pk):
            self.put(passage_meaning, "passage", vector)

    def _key(self, text: str, purpose: Purpose) -> str:
        return hashlib.sha256((self.model.prefix(purpose) + text).encode()).hexdigest()


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                row = json.loads(line)
                yield {"id": row.get("id", row.get("_id")), **row}


def _markdown(row: dict[str, Any]) -> str:
    title, text = str(row.get("title") or "").strip(), str(row["text"])
    return f"# {title}\n\n{text}" if title else text
