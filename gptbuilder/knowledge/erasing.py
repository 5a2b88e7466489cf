"""Take a file out of the world: its bytes, its passages, their words and their vectors. What is left is a tombstone.

Identical files of a workspace share their content, which goes with the last of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from gptbuilder.accounts import personal_data
from gptbuilder.knowledge.models import Content, KnowledgeFile, RetrievalCase


def erase(files: Iterable[KnowledgeFile], now: datetime) -> int:
    """Make tombstones of these files; gives how many were none before. The bytes go once this is committed."""
    ids = [file.pk for file in files]
    with transaction.atomic():
        # The contents are locked first, so that nobody gives one a new file meanwhile.
        contents = list(Content.objects.select_for_update().filter(files__in=ids).order_by("pk"))
        erased = KnowledgeFile.objects.kept().filter(pk__in=ids).update(content=None, erased_at=now)
        # They keep a piece of its text.
        RetrievalCase.objects.filter(file_id__in=ids).delete()
        forget([content for content in contents if not content.files.exists()])
    return erased


def forget(contents: Iterable[Content]) -> None:
    """Delete contents that no file names any more. Within a transaction; the bytes go when it is committed."""
    for content in contents:
        personal_data.remove_files([content.file.name])
        content.delete()
