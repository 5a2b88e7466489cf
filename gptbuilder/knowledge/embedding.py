"""Which model embeds: the one the settings name, else the local one, else none.

An index remembers the endpoint of its model, so that it goes on serving when the settings name another.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.conf import settings

from gptbuilder.embedded.embedding_weights import MODEL_NAME
from gptbuilder.gateway.embeddings import EmbeddingModel
from gptbuilder.gateway.types import Provider
from gptbuilder.knowledge.models import EmbeddingIndex
from gptbuilder.lib.sealing import SealingError

log = logging.getLogger(__name__)

# The local model embeds one text after the other: a question is not to wait long for the rest of a batch to be sent.
LOCAL_BATCH = 4
# With a question somebody waits, and words find as well.
QUESTION_SECONDS = 8.0


@dataclass(frozen=True)
class Endpoint:
    """A model, whether it is the local one, and how many passages it gets at once."""

    model: EmbeddingModel
    is_local: bool
    batch: int


def is_configured() -> bool:
    return bool(settings.EMBEDDING_BASE_URL or settings.LOCAL_EMBEDDING_URL)


def configured() -> Endpoint | None:
    """What the settings say now."""
    if settings.EMBEDDING_BASE_URL:
        return _remote(
            settings.EMBEDDING_MODEL,
            settings.EMBEDDING_BASE_URL,
            settings.EMBEDDING_API_KEY,
            settings.EMBEDDING_DIMENSIONS or None,
        )
    return _local() if settings.LOCAL_EMBEDDING_URL else None


def of_index(index: EmbeddingIndex) -> Endpoint | None:
    """The endpoint of the model that made this index; None when there is none any more."""
    now = configured()
    if now is not None and is_made_by(index, now):
        return now
    if not index.base_url:
        return _local() if settings.LOCAL_EMBEDDING_URL and index.model == MODEL_NAME else None
    try:
        return _remote(index.model, index.base_url, index.open_key(), index.asked_dimensions)
    except SealingError as error:
        log.error("the key of an index cannot be opened", extra={"index": index.pk, "detail": str(error)})
        return None


def is_made_by(index: EmbeddingIndex, endpoint: Endpoint) -> bool:
    """Whether its vectors and those of this model may stand side by side; the address says nothing."""
    return index.model == endpoint.model.name and index.asked_dimensions == endpoint.model.dimensions


def for_questions(endpoint: Endpoint) -> EmbeddingModel:
    """The model with the patience of somebody who waits for an answer."""
    provider = endpoint.model.provider
    patient = Provider(provider.base_url, provider.api_key, connect_timeout_seconds=3, max_retries=0)
    return EmbeddingModel(endpoint.model.name, patient, endpoint.model.dimensions)


def _local() -> Endpoint:
    provider = Provider(settings.LOCAL_EMBEDDING_URL, settings.LOCAL_EMBEDDING_API_KEY)
    return Endpoint(EmbeddingModel(MODEL_NAME, provider), is_local=True, batch=LOCAL_BATCH)


def _remote(name: str, base_url: str, key: str, dimensions: int | None) -> Endpoint:
    model = EmbeddingModel(name, Provider(base_url, key), dimensions)
    return Endpoint(model, is_local=False, batch=max(1, settings.EMBEDDING_BATCH))
