"""Files that were uploaded, and an embedding model behind a real HTTP server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from gptbuilder.accounts.models import User
from gptbuilder.knowledge import filling, indexing
from gptbuilder.knowledge.models import Content, KnowledgeFile
from gptbuilder.workspaces.models import Workspace
from tests.meaning import MeaningServer


@pytest.fixture(autouse=True)
def sealing_keys(settings) -> None:
    settings.FIELD_KEYS = [f"1:{'ab' * 32}"]


@pytest.fixture(autouse=True)
def no_embedding_model(settings) -> None:
    settings.EMBEDDING_BASE_URL = settings.LOCAL_EMBEDDING_URL = settings.RERANK_BASE_URL = ""


@pytest.fixture
def meaning(settings) -> Iterator[MeaningServer]:
    """The embedding model of the settings."""
    with MeaningServer() as server:
        settings.EMBEDDING_BASE_URL = server.url
        settings.EMBEDDING_API_KEY = "meaning-key"
        settings.EMBEDDING_MODEL = "first-model"
        settings.EMBEDDING_DIMENSIONS = 0
        settings.EMBEDDING_BATCH = 4
        yield server


def given(person: User, text: str | bytes, name: str = "notes.md") -> KnowledgeFile:
    """A file as an upload leaves it: stored, not read. The same bytes share their content."""
    data = text if isinstance(text, bytes) else text.encode()
    workspace = Workspace.objects.personal(person)
    sha256 = hashlib.sha256(data).hexdigest()
    content = Content.objects.filter(workspace=workspace, sha256=sha256).first()
    if content is None:
        content = Content(workspace=workspace, sha256=sha256, size_bytes=len(data), heartbeat_at=timezone.now())
        content.file.save(name, ContentFile(data), save=False)
        content.save()
    return KnowledgeFile.objects.create(
        workspace=workspace, uploaded_by=person, content=content, name=name, size_bytes=len(data)
    )


def read(person: User, text: str, name: str = "notes.md") -> KnowledgeFile:
    """A file that was read, so that words find it."""
    file = given(person, text, name)
    indexing.index(file.content_id)
    file.refresh_from_db()
    return file


def embed_all() -> None:
    """What the workers would do until nothing is left to do."""
    while filling.fill():
        pass
