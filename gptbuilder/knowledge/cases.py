"""Questions with the passage that should be found for them, kept by the maker of a GPT.

A file that is read again, or replaced by a newer one, is cut into other passages. A case therefore keeps the text of
its passage, and any passage that shares half of that text is taken for it.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from gptbuilder.knowledge.models import KnowledgeFile, Passage, RetrievalCase, RetrievalTrial
from gptbuilder.knowledge.search import Hit
from gptbuilder.lib import words

CASES_MOST = 200
REMEMBERED = timedelta(days=1)
# Texts are compared by runs of so many words, of which so many must be shared.
RUN_WORDS = 3
SAME = 0.5


class CaseRefused(Exception):
    """There is no question, or there are too many cases."""


def of(holder_id: str) -> QuerySet[RetrievalCase]:
    """Without the removed ones, the oldest first."""
    return RetrievalCase.objects.filter(holder_id=holder_id, removed_at=None)


def add(holder_id: str, question: str, file: KnowledgeFile, passage: Passage) -> RetrievalCase:
    """Keep that this passage of this file should be found; once, also when it is said twice. Raises CaseRefused."""
    question = question.replace("\x00", " ").strip()[: RetrievalCase.QUESTION_LETTERS]
    if not question or of(holder_id).count() >= CASES_MOST:
        raise CaseRefused
    values = {"holder_id": holder_id, "question": question, "file_id": file.pk, "sha256": sha256(passage.text)}
    where = {"kind": passage.kind, "number": passage.number, "title": passage.title}
    try:
        with transaction.atomic():
            return RetrievalCase.objects.create(**values, **where, file_name=file.name, text=passage.text)
    except IntegrityError:
        RetrievalCase.objects.filter(**values).update(removed_at=None)
        return RetrievalCase.objects.get(**values)


def remove(case: RetrievalCase, now: datetime) -> None:
    """It counts no more, and can be brought back for REMEMBERED."""
    RetrievalCase.objects.filter(pk=case.pk, removed_at=None).update(removed_at=now)


def bring_back(case: RetrievalCase) -> None:
    RetrievalCase.objects.filter(pk=case.pk).update(removed_at=None)


def move(holder_id: str, file_id: str, file: KnowledgeFile) -> None:
    """Another file took the place of this one, with its cases."""
    for case in RetrievalCase.objects.filter(holder_id=holder_id, file_id=file_id):
        _update(case, file_id=file.pk, file_name=file.name)


def keep_up(case: RetrievalCase, hit: Hit) -> None:
    """The passage as it is cut now: of a file that was replaced, no older text is kept than needed."""
    if case.text != hit.text or case.file_id != hit.file_id:
        where = {"kind": hit.kind, "number": hit.number, "title": hit.title}
        _update(case, file_id=hit.file_id, file_name=hit.file_name, text=hit.text, sha256=sha256(hit.text), **where)


def _update(case: RetrievalCase, **values: Any) -> None:
    """Unless there is the same case already."""
    with suppress(IntegrityError), transaction.atomic():
        RetrievalCase.objects.filter(pk=case.pk).update(**values)


def forget(holder_id: str) -> None:
    """The GPT is gone."""
    RetrievalCase.objects.filter(holder_id=holder_id).delete()
    RetrievalTrial.objects.filter(holder_id=holder_id).delete()


def purge(now: datetime) -> int:
    """Delete what was removed longer ago than REMEMBERED; gives how many."""
    return RetrievalCase.objects.filter(removed_at__lt=now - REMEMBERED).delete()[0]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def is_meant(case: RetrievalCase, hit: Hit, *, has_file: bool) -> bool:
    """Whether this hit is the case's passage. Without its file the same text counts wherever it stands."""
    return (hit.file_id == case.file_id or not has_file) and alike(case.text, hit.text)


def alike(text: str, other: str) -> bool:
    """Whether the shorter of two texts shares half of its runs of words with the longer."""
    ours, theirs = _runs(text), _runs(other)
    fewest = min(len(ours), len(theirs))
    return fewest > 0 and len(ours & theirs) / fewest >= SAME


def _runs(text: str) -> set[tuple[str, ...]]:
    found = words.words(text)
    length = min(RUN_WORDS, len(found)) or 1
    return {tuple(found[at : at + length]) for at in range(len(found) - length + 1)}
