"""From bytes to passages that are found: read, cut, made searchable by words, then by meaning.

A content is claimed by raising its `attempt`, and every write asks whether that attempt still holds it; so a worker may
die at any line, or wake up late, and whoever takes the content up comes to the same passages. Reading and embedding are
tasks of their own: a file is searchable by words seconds after it came, however many passages wait for their vectors.
"""

from __future__ import annotations

import logging
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from gptbuilder.knowledge import chunking, extraction, lexical, ocr
from gptbuilder.knowledge.chunking import Chunk
from gptbuilder.knowledge.extraction import Extraction
from gptbuilder.knowledge.models import Content, Passage
from gptbuilder.lib.sealing import SealingError
from gptbuilder.web import logs

log = logging.getLogger(__name__)

State = Content.State

HEARTBEAT_SECONDS = 5.0
SILENT = timedelta(seconds=20)
UNCLAIMED = timedelta(seconds=30)
# A file that ended its worker so many times is left alone.
TRIES_MOST = 3
ROWS_AT_ONCE = 1000


class Superseded(Exception):
    """Another attempt has the content, or it was erased."""


def request(content: Content) -> None:
    """Have a content read, for the first time or again: after a failure, with a password, with another name.

    What was found before stays searchable until the new reading ends.
    """
    Content.objects.filter(pk=content.pk).exclude(state=State.READING).update(
        state=State.UPLOADED, outcome="", detail="", tries=0, heartbeat_at=timezone.now()
    )
    transaction.on_commit(lambda: send(content.pk), robust=True)


def send(content_id: str) -> None:
    from gptbuilder.knowledge import tasks

    tasks.index_content.delay(content_id)


def index(content_id: str) -> None:
    """Read an uploaded content and make it searchable by words. Does nothing when another worker has it; may be called
    twice. Whatever the file does, the content ends as words or failed."""
    content = claim(content_id, timezone.now())
    if content is None:
        return
    with logs.bind_run(content.pk), heartbeat(content):
        try:
            _read(content)
        except Superseded:
            log.info("another attempt has the content")
        except DatabaseError:
            raise
        except Exception as error:
            log.exception("a file could not be indexed")
            _fail(content, "broken", type(error).__name__)
        finally:
            connection.close()


def claim(content_id: str, now: datetime) -> Content | None:
    """The content, if it waits to be read; then it is this attempt's."""
    claimed = Content.objects.filter(pk=content_id, state=State.UPLOADED).update(
        state=State.READING, attempt=F("attempt") + 1, tries=F("tries") + 1, heartbeat_at=now
    )
    return Content.objects.get(pk=content_id) if claimed else None


def recover(now: datetime) -> dict[str, int]:
    """Look after contents that lost their reader or never had one. Safe to run twice at once."""
    done = {"failed": 0, "requeued": 0, "resent": 0}
    silent = Content.objects.filter(state=State.READING, heartbeat_at__lt=now - SILENT)
    for content in silent:
        held = Content.objects.held(content.pk, content.attempt).filter(
            state=State.READING, heartbeat_at=content.heartbeat_at
        )
        if content.tries >= TRIES_MOST:
            done["failed"] += held.update(state=State.FAILED, outcome="lost", attempt=F("attempt") + 1)
        elif held.update(state=State.UPLOADED, heartbeat_at=now):
            send(content.pk)
            done["requeued"] += 1
    waiting = Content.objects.filter(state=State.UPLOADED)
    for content in waiting.filter(Q(heartbeat_at__lt=now - UNCLAIMED) | Q(heartbeat_at=None)):
        # The heartbeat of a waiting one says when it was last sent, so that a long queue is not sent over and over.
        if waiting.filter(pk=content.pk, heartbeat_at=content.heartbeat_at).update(heartbeat_at=now):
            send(content.pk)
            done["resent"] += 1
    return done


@contextmanager
def heartbeat(content: Content) -> Iterator[None]:
    """Keep saying that this attempt lives while the body works."""
    ended = threading.Event()

    def beat() -> None:
        try:
            while not ended.wait(HEARTBEAT_SECONDS):
                try:
                    Content.objects.held(content.pk, content.attempt).update(heartbeat_at=timezone.now())
                except DatabaseError:
                    log.warning("heartbeat missed, the database is away")
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="indexing-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _read(content: Content) -> None:
    try:
        password = content.open_password()
    except SealingError as error:
        log.error("the password of a file cannot be opened", extra={"detail": str(error)})
        password = None
    name = content.files.order_by("pk").values_list("name", flat=True).first() or ""
    connection.close()
    with _on_disk(content) as path:
        if path is None:
            _fail(content, "broken", "the stored file is gone")
            return
        most_bytes = settings.KNOWLEDGE_FILE_MAX_BYTES
        found = extraction.extract(path, name, password, recognise=False, most_bytes=most_bytes)
        if found.unread and ocr.languages():
            # Minutes for a long scan. What has a text layer is found meanwhile.
            if found.outcome == "ok":
                _store(content, found, State.READING)
            found = extraction.recognised(found, path, password)
    if found.outcome != "ok":
        _fail(content, found.outcome, found.detail, found.kind)
    elif not _store(content, found, State.WORDS):
        _fail(content, "empty", "", found.kind)


def _store(content: Content, found: Extraction, state: str) -> bool:
    """All of what was found, or nothing; false when there are no passages in it. Reading goes on, or ends with it."""
    from gptbuilder.knowledge import tasks

    chunks = chunking.chunks(found.sections)
    if not chunks:
        return False
    analysis = lexical.analyse([chunk.meaning for chunk in chunks])
    is_end = state != State.READING
    with transaction.atomic():
        held = Content.objects.held(content.pk, content.attempt).filter(state=State.READING)
        if not held.select_for_update().exists():
            raise Superseded
        ids = _keep_passages(content.pk, chunks)
        lexical.write(content.pk, ids, analysis)
        held.update(
            state=state,
            kind=found.kind,
            outcome=found.outcome,
            detail=found.detail,
            language=analysis.language,
            section_count=len(found.sections),
            passage_count=len(chunks),
            word_count=analysis.word_count,
            embedded_count=0,
            embedding_error="",
            **({"tries": 0, "heartbeat_at": None} if is_end else {}),
        )
        if is_end:
            # The clock sends it again, should the queue be away now.
            transaction.on_commit(tasks.embed_passages.delay, robust=True)
    return True


def _keep_passages(content_id: str, chunks: Sequence[Chunk]) -> list[int]:
    """Make the content's passages these, and give their ids. A passage whose text was there before keeps its row, and
    with that its vectors."""
    known: dict[str, deque[int]] = {}
    for pk, sha256 in Passage.objects.filter(content=content_id).values_list("pk", "sha256"):
        known.setdefault(sha256, deque()).append(pk)
    rows = []
    for position, chunk in enumerate(chunks):
        kept = known.get(chunk.sha256)
        rows.append(
            Passage(
                pk=kept.popleft() if kept else None,
                content_id=content_id,
                position=position,
                kind=chunk.kind,
                number=chunk.number,
                title=chunk.title,
                text=chunk.text,
                overlap=chunk.overlap,
                sha256=chunk.sha256,
            )
        )
    Passage.objects.filter(pk__in=[pk for rest in known.values() for pk in rest]).delete()
    old = [row for row in rows if row.pk is not None]
    Passage.objects.bulk_update(
        old, ["position", "kind", "number", "title", "text", "overlap"], batch_size=ROWS_AT_ONCE
    )
    Passage.objects.bulk_create([row for row in rows if row.pk is None], batch_size=ROWS_AT_ONCE)
    return [row.pk for row in rows]


def _fail(content: Content, outcome: str, detail: str, kind: str = "") -> None:
    """Nothing of it can be found; what an earlier reading found goes with it."""
    with transaction.atomic():
        held = Content.objects.held(content.pk, content.attempt).filter(state=State.READING)
        if not held.update(
            state=State.FAILED,
            kind=kind,
            outcome=outcome,
            detail=detail,
            section_count=0,
            passage_count=0,
            embedded_count=0,
            word_count=0,
            heartbeat_at=None,
        ):
            return
        lexical.write(content.pk, [], lexical.Analysis(content.language, []))
        Passage.objects.filter(content=content).delete()


@contextmanager
def _on_disk(content: Content) -> Iterator[Path | None]:
    """The stored file as one of this machine, which a reader needs; None when it is gone."""
    try:
        yield Path(content.file.path)
        return
    except NotImplementedError:
        # A storage elsewhere.
        pass
    with tempfile.NamedTemporaryFile(prefix="gptbuilder-") as copy:
        try:
            with content.file.open() as stored:
                for piece in stored.chunks():
                    copy.write(piece)
        except FileNotFoundError:
            yield None
            return
        copy.flush()
        yield Path(copy.name)
