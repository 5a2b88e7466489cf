"""Files that a model is given whole, in the system text: those the builder wants so, and small ones.

They are cut into the same numbered passages as what a search finds, so they are cited in the same way. What does not
fit well into the model's window is searched instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.conf import settings

from gptbuilder.gateway.tokens import count
from gptbuilder.knowledge import models
from gptbuilder.tools.library import File, Library
from gptbuilder.tools.passages import Passage

# A file of more passages is not even looked at: it is far beyond any share of a window that is worth it.
PASSAGES_MOST = 600
MARKS_TOKENS = 40
# Of a window, for files that are small without anybody having asked to give them whole.
SMALL_SHARE = 8


def chosen(library: Library, window: int, room: int) -> tuple[Library, tuple[Passage, ...]]:
    """The library without the files that are given whole, and their passages, numbered from 1. One query.

    `room` is what the system text has left. Those that are to be given whole come first, the conversation's own before
    the GPT's; then all others together, or none of them: half a library whole would hide what the other half says.
    """
    candidates = [file for file in library.files if _is_candidate(file)]
    texts = _texts(candidates)
    costs = {file.id: sum(count(row.text) + MARKS_TOKENS for row in texts[file.id]) for file in candidates}
    whole: list[File] = []
    left = min(room, window * settings.FULL_FILES_PERCENT // 100)
    for file in sorted((file for file in candidates if file.is_full), key=lambda file: not file.is_own):
        if costs[file.id] <= left:
            whole.append(file)
            left -= costs[file.id]
    others = [file for file in library.files if file.is_readable and file not in whole]
    small = min(left, settings.SMALL_FILES_TOKENS, window // SMALL_SHARE)
    if sum(costs.get(file.id, small + 1) for file in others) <= small:
        whole += others
    passages = _numbered(whole, texts)
    return replace(library, whole_ids=frozenset(file.id for file in whole)), passages


def _is_candidate(file: File) -> bool:
    return file.content is not None and 0 < file.content.passage_count <= PASSAGES_MOST


def _texts(files: Iterable[File]) -> dict[str, list[models.Passage]]:
    files = list(files)
    by_content: dict[str, list[models.Passage]] = {}
    wanted = [file.content for file in files if file.content]
    rows = models.Passage.objects.filter(content__in=wanted) if wanted else models.Passage.objects.none()
    for row in rows.order_by("content_id", "position"):
        by_content.setdefault(row.content_id, []).append(row)
    return {file.id: by_content.get(file.content.pk, []) for file in files if file.content}


def _numbered(files: Sequence[File], texts: dict[str, list[models.Passage]]) -> tuple[Passage, ...]:
    pairs = [(file, row) for file in files for row in texts[file.id]]
    return tuple(
        replace(passage_of(row, file.id, file.name, is_own=file.is_own), number=number, text=row.text[row.overlap :])
        for number, (file, row) in enumerate(pairs, 1)
    )


def passage_of(row: models.Passage, file_id: str, file_name: str, *, is_own: bool) -> Passage:
    """A stored passage, not numbered yet."""
    return Passage(
        number=0,
        passage_id=row.pk,
        file_id=file_id,
        file_name=file_name,
        kind=row.kind,
        ordinal=row.number,
        title=row.title,
        text=row.text,
        is_own=is_own,
    )
