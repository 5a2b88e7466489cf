"""How soon a file can be searched, and how long a search takes and how much it finds, up to a million passages.

The times of a search are those of the whole of `search.search`, by words and by meaning, with the vector of the
question given; what is found by meaning is compared with an exact search. `--quick` measures a tenth and a thirtieth
of the two larger sizes under their names, and none of the local model's embedding.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy
from _figures import arguments, show

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import _passages  # noqa: E402

from gptbuilder.embedded import embedder, places, services  # noqa: E402

SIZES = {"1k": 1_000, "100k": 100_000, "1m": 1_000_000}
QUICK_SIZES = {"1k": 1_000, "100k": 10_000, "1m": 30_000}
SHARES = (0.001, 0.01, 0.1)
QUESTIONS, QUICK_QUESTIONS = 200, 50
WARMING = 20
LOCAL_PASSAGES = 40
PDF_PAGES, TEXT_BYTES = 300, 2_000_000
TARGET = 10


def main() -> None:
    asked = arguments(__doc__)
    with tempfile.TemporaryDirectory(prefix="gptbuilder-bench-", dir=os.environ.get("BENCH_FOLDER", "/tmp")) as folder:
        Path(folder).chmod(0o755)
        figures = measure(Path(folder), quick=asked.quick)
    show("knowledge", figures, as_json=asked.json)


def measure(folder: Path, *, quick: bool) -> dict[str, float]:
    running = services.start(folder / "home", durable=True)
    stub = places.free_port()
    endpoint = subprocess.Popen([sys.executable, "-m", "tests.meaning", str(stub), str(_passages.DIMENSIONS)], cwd=ROOT)
    try:
        os.environ |= {
            "DATABASE_URL": running.database_url, "REDIS_URL": running.redis_url, "MEDIA_ROOT": str(folder / "files"),
            "DJANGO_SETTINGS_MODULE": "gptbuilder.settings", "EMBEDDING_BASE_URL": f"http://127.0.0.1:{stub}/v1",
            "EMBEDDING_MODEL": "stub", "LOG_LEVEL": "ERROR",
        }  # fmt: skip
        import django
        from django.core.management import call_command

        django.setup()
        import gptbuilder.celery  # noqa: F401  (the queue is that of this measurement)

        call_command("migrate", verbosity=0)
        figures = indexing_figures(quick=quick)
        if not quick:
            figures |= local_figures(folder / "home", figures)
        return figures | search_figures(quick=quick)
    finally:
        endpoint.terminate()
        endpoint.wait()
        running.stop()


# --- Indexing ------------------------------------------------------------------------------------


def indexing_figures(*, quick: bool) -> dict[str, float]:
    """Seconds from the stored file; reading warm, as in a worker that has read one before."""
    index_once("warm.pdf", _passages.book(3))
    figures: dict[str, float] = {}
    for name, file, data in (
        ("pdf300", "book.pdf", _passages.book(PDF_PAGES)),
        ("text2mb", "long.txt", _passages.text_of(TEXT_BYTES).encode()),
    ):
        words, ready, passages = index_once(file, data)
        figures |= {f"{name}_words_s": words, f"{name}_ready_s": ready, f"{name}_passages": passages}
    return figures


def index_once(name: str, data: bytes) -> tuple[float, float, float]:
    from django.core.files.base import ContentFile
    from django.utils import timezone

    from gptbuilder.knowledge import filling, indexing
    from gptbuilder.knowledge.models import Content, KnowledgeFile
    from gptbuilder.workspaces.models import Workspace

    workspace = Workspace.objects.get_or_create(name="Benchmark")[0]
    content = Content(
        workspace=workspace, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data), heartbeat_at=timezone.now()
    )
    content.file.save(name, ContentFile(data), save=False)
    content.save()
    KnowledgeFile.objects.create(workspace=workspace, content=content, name=name, size_bytes=len(data))
    began = time.monotonic()
    indexing.index(content.pk)
    words = time.monotonic() - began
    while filling.fill():
        pass
    ready = time.monotonic() - began
    content.refresh_from_db()
    if content.state != Content.State.READY:
        sys.exit(f"{name} is {content.state} ({content.outcome} {content.detail} {content.embedding_error}).")
    return words, ready, float(content.passage_count)


def local_figures(home: Path, known: dict[str, float]) -> dict[str, float]:
    """The local model embeds for minutes, so its speed is measured on some passages and the rest is reckoned."""
    from gptbuilder.gateway import embeddings
    from gptbuilder.gateway.embeddings import EmbeddingModel
    from gptbuilder.gateway.types import Provider
    from gptbuilder.knowledge.models import Passage

    port = places.free_port()
    child = embedder.child(places.settle(home), port, "bench")
    process = subprocess.Popen(list(child.command), cwd=child.folder, env={**os.environ, **child.environment})
    model = EmbeddingModel(embedder.MODEL_NAME, Provider(f"http://127.0.0.1:{port}/v1", "bench", max_retries=8))
    try:
        embeddings.embed(model, ["once"], "query", timeout_seconds=600)
        texts = list(Passage.objects.order_by("pk").values_list("text", flat=True)[:LOCAL_PASSAGES])
        began = time.monotonic()
        for at in range(0, len(texts), 4):
            embeddings.embed(model, texts[at : at + 4], "passage")
        rate = len(texts) / (time.monotonic() - began)
        times = [timed(lambda: embeddings.embed(model, ["Where is the station?"], "query")) for _ in range(20)]
    finally:
        process.terminate()
        process.wait()
    reckoned = {f"{name}_local_ready_s": known[f"{name}_words_s"] + known[f"{name}_passages"] / rate
                for name in ("pdf300", "text2mb")}  # fmt: skip
    return {"local_passages_per_s": rate, "local_question_ms_p50": percentile(times, 0.5), **reckoned}


# --- Searching -----------------------------------------------------------------------------------


def search_figures(*, quick: bool) -> dict[str, float]:
    from django.db import connection

    from gptbuilder.knowledge import indexes, vectors
    from gptbuilder.knowledge.models import EmbeddingIndex, Vector

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE knowledge_content CASCADE")
    EmbeddingIndex.objects.all().delete()
    indexes.ensure()
    index = indexes.serving()
    assert index is not None
    indexes.learn_dimensions(index, _passages.DIMENSIONS)
    knowledge = Knowledge(index.pk)
    figures: dict[str, float] = {}
    for name, size in (QUICK_SIZES if quick else SIZES).items():
        began = time.monotonic()
        vectors.drop_graph(index)
        knowledge.grow(size)
        print(f"{size:,} passages written in {time.monotonic() - began:.0f} s", flush=True)
        if Vector.objects.count() > vectors.EXACT_MOST:
            began = time.monotonic()
            vectors.build_graph(index)
            figures[f"graph_build_{name}_s"] = time.monotonic() - began
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        figures |= knowledge.figures(name, QUICK_QUESTIONS if quick else QUESTIONS)
    return figures


class Knowledge:
    """All passages of the benchmark, and their vectors once more in memory for the exact answer."""

    def __init__(self, index_id: int) -> None:
        from gptbuilder.workspaces.models import Workspace

        self._index_id = index_id
        self._workspace = Workspace.objects.get_or_create(name="Benchmark")[0]
        self._mixture = _passages.Mixture()
        self._points: list[numpy.ndarray] = []
        self._firsts: list[int] = []
        self._files: list[str] = []

    def grow(self, size: int) -> None:
        while len(self._files) * _passages.CONTENT_PASSAGES < size:
            self._add(len(self._files))

    def _add(self, number: int) -> None:
        from django.db import connection, transaction

        from gptbuilder.knowledge.models import Content, KnowledgeFile, Passage

        count = _passages.CONTENT_PASSAGES
        points = self._mixture.points(number, count)
        with transaction.atomic():
            content = Content.objects.create(
                workspace=self._workspace, sha256=f"{number:064x}", size_bytes=count, state="ready", outcome="ok",
                passage_count=count, embedded_count=count, word_count=count * _passages.WORDS_EACH,
                file=f"knowledge/{number}",
            )  # fmt: skip
            file = KnowledgeFile.objects.create(
                workspace=self._workspace, content=content, name=f"{number}.txt", size_bytes=count
            )
            rows = Passage.objects.bulk_create(
                Passage(content=content, position=at, kind="part", text=f"Passage {at} of {number}.", sha256="0" * 64)
                for at in range(count)
            )
            first = rows[0].pk
            with connection.cursor() as cursor:
                with cursor.cursor.copy(
                    "COPY knowledge_posting (content_id, part, lexeme, passage_count, entries) FROM STDIN"
                ) as copy:
                    for lexeme, passages, entries in _passages.postings(number, first, count):
                        copy.write_row((content.pk, 0, lexeme, passages, entries))
                with cursor.cursor.copy(
                    "COPY knowledge_vector (index_id, content_id, passage_id, sha256, embedding) "
                    "FROM STDIN WITH (FORMAT binary)"
                ) as copy:
                    copy.write(_passages.COPY_HEAD)
                    copy.write(_passages.vector_rows(self._index_id, content.pk, first, points))
                    copy.write(_passages.COPY_END)
        self._points.append(points)
        self._firsts.append(first)
        self._files.append(file.pk)

    def figures(self, name: str, count: int) -> dict[str, float]:
        asked = self._mixture.points(10_000_000, count)
        questions = _passages.questions(count)
        total = len(self._files)
        scopes = {
            "": total,
            **{f"_{share:.1%}": max(1, round(total * share)) for share in SHARES if total * share >= 1},
        }
        figures: dict[str, float] = {}
        for suffix, files in scopes.items():
            times, recalled = self._ask(files, questions, asked)
            place = f"{name}{suffix}"
            figures |= {
                f"query_{place}_ms_p50": percentile(times, 0.5),
                f"query_{place}_ms_p95": percentile(times, 0.95),
                f"recall{TARGET}_{place}": recalled,
            }
        filtered = [figures[f"recall{TARGET}_{name}{suffix}"] for suffix in scopes if suffix]
        if filtered:
            figures[f"recall{TARGET}_filtered_{name}"] = min(filtered)
        if total > 1:
            figures[f"recall{TARGET}_{name}_narrow_graph"] = self._narrow(asked)
        self._explain(asked[0])
        return figures

    def _ask(self, files: int, questions: Sequence[str], asked: numpy.ndarray) -> tuple[list[float], float]:
        from gptbuilder.knowledge import search

        ids = self._files[:files]
        for question, point in list(zip(questions, asked, strict=True))[:WARMING]:
            search.search(ids, question, vector=tuple(map(float, point)))
        times, found = [], []
        for question, point in zip(questions, asked, strict=True):
            vector = tuple(map(float, point))
            began = time.perf_counter()
            search.search(ids, question, vector=vector)
            times.append((time.perf_counter() - began) * 1000)
            found.append(self._by_meaning(ids, vector))
        return times, self._recall(found, files, asked)

    def _by_meaning(self, ids: list[str], vector: tuple[float, ...]) -> list[int]:
        from gptbuilder.knowledge import indexes, search, vectors

        index = indexes.serving()
        assert index is not None
        return [passage for passage, _ in vectors.nearest(index, search.scope_of(ids), vector, search.CANDIDATES)]

    def _narrow(self, asked: numpy.ndarray) -> float:
        """What the graph finds over all with pgvector's own depth of 40: by this the spread was chosen."""
        from django.db import connection, transaction

        from gptbuilder.knowledge import indexes, vectors

        index = indexes.serving()
        found = []
        for point in asked:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL hnsw.ef_search = 40")
                cursor.execute("SET LOCAL enable_seqscan = off")
                cursor.execute(
                    f"SELECT passage_id FROM knowledge_vector WHERE index_id = {index.pk} "
                    f"ORDER BY embedding::halfvec({_passages.DIMENSIONS}) "
                    f"<=> %s::halfvec({_passages.DIMENSIONS}) LIMIT {TARGET}",
                    [vectors.literal(tuple(map(float, point)))],
                )
                found.append([row[0] for row in cursor.fetchall()])
        return self._recall(found, len(self._files), asked)

    def _recall(self, found: list[list[int]], files: int, asked: numpy.ndarray) -> float:
        """Of the ten that are truly closest, those among the first ten found."""
        best = numpy.full((len(asked), TARGET), -2.0, numpy.float32)
        ids = numpy.zeros((len(asked), TARGET), numpy.int64)
        for first, points in zip(self._firsts[:files], self._points[:files], strict=True):
            close = asked.astype(numpy.float32) @ points.astype(numpy.float32).T
            together = numpy.concatenate([best, close], axis=1)
            names = numpy.concatenate([ids, numpy.tile(first + numpy.arange(len(points)), (len(asked), 1))], axis=1)
            order = numpy.argpartition(-together, TARGET - 1, axis=1)[:, :TARGET]
            best, ids = numpy.take_along_axis(together, order, 1), numpy.take_along_axis(names, order, 1)
        hits = [len(set(few[:TARGET]) & set(true.tolist())) for few, true in zip(found, ids, strict=True)]
        return sum(hits) / (TARGET * len(hits))

    def _explain(self, point: numpy.ndarray) -> None:
        """Print how PostgreSQL goes about the nearest of all."""
        from django.db import connection, transaction

        from gptbuilder.knowledge import indexes, search, vectors

        index, scope = indexes.serving(), search.scope_of(self._files)
        assert index is not None
        is_graph = scope.passage_count > vectors.EXACT_MOST and vectors.has_graph(index)
        statement = vectors.NEARLY.format(index=index.pk, size=_passages.DIMENSIONS) if is_graph else vectors.EXACTLY
        asked = {"index": index.pk, "contents": list(scope.content_ids), "count": 100,
                 "question": vectors.literal(tuple(map(float, point)))}  # fmt: skip
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (COSTS OFF) {statement}", asked)
            for (line,) in cursor.fetchall():
                print(f"  {line[:110]}")


def timed(work: object) -> float:
    began = time.perf_counter()
    work()  # type: ignore[operator]
    return (time.perf_counter() - began) * 1000


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


if __name__ == "__main__":
    main()
