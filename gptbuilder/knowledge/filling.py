"""The vectors of passages, made in the background.

At most PUMPS workers do this at a time, so that reading a file never waits for it. Each takes some passages of the
content that has the fewest left, and then again of whichever has: a short file does not wait for a long one.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from gptbuilder.gateway import embeddings
from gptbuilder.gateway.errors import GatewayError, Refused
from gptbuilder.knowledge import embedding, indexes, vectors
from gptbuilder.knowledge.embedding import Endpoint
from gptbuilder.knowledge.models import Content, EmbeddingIndex

log = logging.getLogger(__name__)

State = Content.State

PUMPS = 2
# A worker that is told to go is waited for no longer; then the task sends itself again.
TURN_SECONDS = 20.0
# Longer than one request may take with all its retries: then its worker is taken for dead.
SILENT = timedelta(minutes=7)
# After a failure of the endpoint.
PAUSE = timedelta(seconds=30)


def fill() -> bool:
    """Embed what waits, for a while. True when there is more to do at once."""
    indexes.ensure()
    index = indexes.serving()
    endpoint = embedding.of_index(index) if index else None
    if index is None or endpoint is None:
        return False
    ends = time.monotonic() + TURN_SECONDS
    while time.monotonic() < ends:
        content = _claim(timezone.now())
        if content is None:
            return False
        if not _embed_some(content, index, endpoint):
            return False
    return True


def fill_building(now: datetime) -> bool:
    """The same for the index that is to replace the one that serves. True when there is more to do at once."""
    index = indexes.building()
    endpoint = embedding.of_index(index) if index else None
    if index is None or endpoint is None or not indexes.claim(index, now):
        return False
    ends = time.monotonic() + TURN_SECONDS
    content_id = indexes.next_content(index, "")
    try:
        while content_id and time.monotonic() < ends:
            if not _embed_batch(content_id, index, endpoint):
                content_id = indexes.next_content(index, content_id)
            EmbeddingIndex.objects.filter(pk=index.pk).update(heartbeat_at=timezone.now())
        return bool(content_id) or not indexes.switch(index)
    except GatewayError as error:
        log.warning("the new index waits", extra={"code": error.code, "detail": str(error)})
        return False
    finally:
        EmbeddingIndex.objects.filter(pk=index.pk).update(heartbeat_at=None)


def look_after_graph() -> None:
    """Make the graph once there are so many vectors that it is worth it. One at a time, in the background."""
    index = indexes.serving()
    if index is not None and indexes.wants_graph(index):
        vectors.build_graph(index)


def _claim(now: datetime) -> Content | None:
    """The content with the fewest passages to go, unless enough workers are at it already."""
    waiting = Content.objects.filter(state=State.WORDS)
    busy = waiting.filter(heartbeat_at__gt=now - SILENT, embedding_error="").count()
    if busy >= PUMPS:
        return None
    free = waiting.filter(Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - SILENT))
    free |= waiting.exclude(embedding_error="").filter(heartbeat_at__lt=now - PAUSE)
    for content in free.order_by(F("passage_count") - F("embedded_count"), "pk")[:PUMPS]:
        held = Content.objects.held(content.pk, content.attempt).filter(state=State.WORDS)
        if held.filter(heartbeat_at=content.heartbeat_at).update(
            attempt=F("attempt") + 1, heartbeat_at=now, embedding_error=""
        ):
            content.refresh_from_db()
            return content
    return None


def _embed_some(content: Content, index: EmbeddingIndex, endpoint: Endpoint) -> bool:
    """One batch of a claimed content, which is free again afterwards. False when the endpoint failed."""
    problem = ""
    try:
        _embed_batch(content.pk, index, endpoint)
    except GatewayError as error:
        problem = error.code
        log.warning("passages wait for the embedding model", extra={"code": error.code, "detail": str(error)})
    with transaction.atomic():
        held = Content.objects.held(content.pk, content.attempt).filter(state=State.WORDS).select_for_update()
        if not held.exists():
            return not problem
        count = min(content.passage_count, vectors.count(index, content.pk))
        held.update(
            embedded_count=count,
            state=State.READY if count == content.passage_count else State.WORDS,
            embedding_error=problem,
            heartbeat_at=timezone.now() if problem else None,
        )
    return not problem


def _embed_batch(content_id: str, index: EmbeddingIndex, endpoint: Endpoint) -> bool:
    """Embed the next passages; False when there were none. Raises GatewayError."""
    vectors.copy_known(index, content_id)
    passages = vectors.missing(index, content_id, endpoint.batch)
    if not passages:
        return False
    connection.close()
    made = embeddings.embed(endpoint.model, [passage.meaning for passage in passages], "passage")
    if not indexes.learn_dimensions(index, len(made[0])):
        raise Refused(200, f"The model gives {len(made[0])} dimensions, the index has {index.dimensions}.")
    vectors.write(index, passages, made)
    vectors.copy_known(index, content_id)
    return True
