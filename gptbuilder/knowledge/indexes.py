"""Which vectors serve, and how others take their place: when the settings name another model, all passages are embedded
anew in the background while the old vectors go on serving; the last one switches."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from gptbuilder.knowledge import embedding, vectors
from gptbuilder.knowledge.embedding import Endpoint
from gptbuilder.knowledge.models import Content, EmbeddingIndex, Vector
from gptbuilder.lib.sealing import SealingError

log = logging.getLogger(__name__)

State = EmbeddingIndex.State

SILENT = timedelta(minutes=3)
# Fewer vectors are compared one by one whoever asks.
GRAPH_FROM = vectors.EXACT_MOST
DELETED_AT_ONCE = 10_000

COMPLETED = """
UPDATE knowledge_content SET embedded_count = made.count, state = CASE WHEN made.count = passage_count THEN 'ready'
  ELSE state END, embedding_error = CASE WHEN made.count = passage_count THEN '' ELSE embedding_error END
FROM (SELECT content_id, count(*) AS count FROM knowledge_vector WHERE index_id = %s GROUP BY content_id) made
WHERE made.content_id = knowledge_content.id AND state IN ('words', 'ready') AND made.count <= passage_count
"""


def serving() -> EmbeddingIndex | None:
    return EmbeddingIndex.objects.filter(state=State.SERVING).first()


def building() -> EmbeddingIndex | None:
    return EmbeddingIndex.objects.filter(state=State.BUILDING).first()


def ensure() -> None:
    """Let the rows follow the settings. May be called by anybody at any time, also twice at once."""
    endpoint = embedding.configured()
    if endpoint is None:
        return
    current, other = serving(), building()
    try:
        if current is None:
            _create(endpoint, State.SERVING)
        elif embedding.is_made_by(current, endpoint):
            _remember(current, endpoint)
            if other is not None and other.model != current.model:
                # The settings were changed back.
                _retire(other)
        elif other is None or not embedding.is_made_by(other, endpoint):
            rebuild(endpoint)
        else:
            _remember(other, endpoint)
    except IntegrityError:
        log.info("somebody else was quicker to make the index")


def rebuild(endpoint: Endpoint) -> EmbeddingIndex:
    """Begin a new index beside the one that serves; one that was being built is given up."""
    with transaction.atomic():
        for other in EmbeddingIndex.objects.filter(state=State.BUILDING):
            _retire(other)
        return _create(endpoint, State.BUILDING)


def claim(index: EmbeddingIndex, now: datetime) -> bool:
    """Take the building of this index, unless somebody is at it."""
    free = EmbeddingIndex.objects.filter(pk=index.pk, state=State.BUILDING)
    free = free.filter(heartbeat_at=None) | free.filter(heartbeat_at__lt=now - SILENT)
    return bool(free.update(heartbeat_at=now))


def progress(index: EmbeddingIndex) -> tuple[int, int]:
    """How many passages have a vector of this index, and how many there are."""
    searchable = Content.objects.filter(state__in=Content.SEARCHABLE)
    total = searchable.aggregate(total=Sum("passage_count"))["total"] or 0
    return Vector.objects.filter(index=index).count(), int(total)


def next_content(index: EmbeddingIndex, after: str) -> str | None:
    """The next content, by id, that has passages without a vector of this index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM knowledge_content content WHERE id > %s AND state IN ('words', 'ready') AND EXISTS ("
            "SELECT FROM knowledge_passage passage WHERE passage.content_id = content.id AND NOT EXISTS ("
            "SELECT FROM knowledge_vector WHERE passage_id = passage.id AND index_id = %s)) ORDER BY id LIMIT 1",
            [after, index.pk],
        )
        row = cursor.fetchone()
    return str(row[0]) if row else None


def switch(index: EmbeddingIndex) -> bool:
    """Let a complete index serve. False when it is not complete, or is not being built any more."""
    with transaction.atomic():
        if not EmbeddingIndex.objects.select_for_update().filter(pk=index.pk, state=State.BUILDING).exists():
            return False
        # A content that becomes searchable after this look is embedded by the new index as any new one.
        if next_content(index, "") is not None:
            return False
        for old in EmbeddingIndex.objects.filter(state=State.SERVING):
            _retire(old)
        EmbeddingIndex.objects.filter(pk=index.pk).update(state=State.SERVING)
        with connection.cursor() as cursor:
            cursor.execute(COMPLETED, [index.pk])
    log.info("another embedding model serves", extra={"model": index.model})
    return True


def clear_retired() -> int:
    """Delete replaced vectors, some at a time, and then their index. Gives how many went."""
    gone = 0
    for index in EmbeddingIndex.objects.filter(state=State.RETIRED):
        vectors.drop_graph(index)
        while True:
            with connection.cursor() as cursor:
                cursor.execute(
                    "DELETE FROM knowledge_vector WHERE id IN "
                    "(SELECT id FROM knowledge_vector WHERE index_id = %s LIMIT %s)",
                    [index.pk, DELETED_AT_ONCE],
                )
                gone += cursor.rowcount
                if cursor.rowcount < DELETED_AT_ONCE:
                    break
        index.delete()
    return gone


def wants_graph(index: EmbeddingIndex) -> bool:
    """Whether there are so many vectors that somebody may search more than is compared one by one."""
    if index.dimensions is None or vectors.has_graph(index):
        return False
    return Vector.objects.filter(index=index)[: GRAPH_FROM + 1].count() > GRAPH_FROM


def learn_dimensions(index: EmbeddingIndex, dimensions: int) -> bool:
    """Record the size of the first vector. False when the index has vectors of another size."""
    EmbeddingIndex.objects.filter(pk=index.pk, dimensions=None).update(dimensions=dimensions)
    index.refresh_from_db(fields=["dimensions"])
    return index.dimensions == dimensions


def _create(endpoint: Endpoint, state: str) -> EmbeddingIndex:
    index = EmbeddingIndex(model=endpoint.model.name, asked_dimensions=endpoint.model.dimensions, state=state)
    with transaction.atomic():
        index.save()
        _remember(index, endpoint)
    return index


def _remember(index: EmbeddingIndex, endpoint: Endpoint) -> None:
    """Keep the endpoint, for the time when the settings name another."""
    provider = endpoint.model.provider
    base_url = "" if endpoint.is_local else provider.base_url
    if index.base_url == base_url and (endpoint.is_local or _has_key(index, provider.api_key)):
        return
    index.base_url = base_url
    index.sealed_key = ""
    if not endpoint.is_local:
        _seal(index, provider.api_key)
    index.save(update_fields=["base_url", "sealed_key"])


def _has_key(index: EmbeddingIndex, key: str) -> bool:
    try:
        return index.open_key() == key
    except SealingError:
        return False


def _seal(index: EmbeddingIndex, key: str) -> None:
    try:
        index.seal_key(key)
    except SealingError as error:
        # Without a key to seal with it serves as long as the settings name it.
        log.warning("the key of an embedding model is not kept", extra={"detail": str(error)})


def _retire(index: EmbeddingIndex) -> None:
    EmbeddingIndex.objects.filter(pk=index.pk).update(state=State.RETIRED)
