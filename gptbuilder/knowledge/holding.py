"""Files that nobody lists any more are erased, but not at once: what took them off may be undone.

Who lists files stands in settings.FILE_HOLDERS: knowledge knows neither GPTs nor conversations.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.module_loading import import_string

from gptbuilder.knowledge import erasing
from gptbuilder.knowledge.models import KnowledgeFile

KEPT = timedelta(days=7)
# A file is there a moment before something lists it.
YOUNG = timedelta(hours=1)
AT_ONCE = 500


def let_go(now: datetime) -> int:
    """Note which files nobody lists, and erase those noted KEPT ago; gives how many were erased. Safe to run twice."""
    after = ""
    while files := list(
        KnowledgeFile.objects.kept().filter(pk__gt=after, created_at__lt=now - YOUNG).order_by("pk")[:AT_ONCE]
    ):
        after = files[-1].pk
        kept = listed([file.pk for file in files])
        free = [file.pk for file in files if file.pk not in kept]
        KnowledgeFile.objects.filter(pk__in=kept).exclude(unheld_at=None).update(unheld_at=None)
        KnowledgeFile.objects.filter(pk__in=free, unheld_at=None).update(unheld_at=now)
    over = KnowledgeFile.objects.kept().filter(unheld_at__lt=now - KEPT)
    return erasing.erase(over, now)


def listed(file_ids: Sequence[str]) -> set[str]:
    """Those of the files that something lists."""
    kept: set[str] = set()
    for path in settings.FILE_HOLDERS:
        kept |= import_string(path)(file_ids)
    return kept
