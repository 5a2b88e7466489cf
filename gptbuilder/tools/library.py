"""The files that one run may use: those its version lists, and those of its own conversation. Nothing else is read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gptbuilder.gpts.models import GPTVersion
from gptbuilder.knowledge import models
from gptbuilder.knowledge.models import Content, KnowledgeFile
from gptbuilder.knowledge.search import Hit

State = Content.State


@dataclass(frozen=True)
class File:
    """A file under the name it has here. Without content it was erased."""

    id: str
    name: str
    is_full: bool
    is_own: bool
    content: Content | None

    @property
    def is_readable(self) -> bool:
        return self.content is not None and self.content.is_searchable

    @property
    def is_being_read(self) -> bool:
        content = self.content
        return content is not None and not content.is_searchable and content.state in (State.UPLOADED, State.READING)


@dataclass(frozen=True)
class Library:
    """`files` in the order of the list, the conversation's own last. `whole_ids` are given whole and not searched."""

    files: tuple[File, ...] = ()
    whole_ids: frozenset[str] = frozenset()

    @cached_property
    def names(self) -> dict[str, str]:
        """Of the files with passages, by id."""
        return {file.id: file.name for file in self.files if file.is_readable}

    @cached_property
    def own_ids(self) -> frozenset[str]:
        return frozenset(file.id for file in self.files if file.is_own)

    @property
    def searched_ids(self) -> list[str]:
        return [pk for pk in self.names if pk not in self.whole_ids]

    @property
    def own_searched_ids(self) -> list[str]:
        """None when all that is searched is the conversation's own."""
        own = [pk for pk in self.searched_ids if pk in self.own_ids]
        return own if len(own) < len(self.searched_ids) else []

    @property
    def unreadable(self) -> list[File]:
        return [file for file in self.files if not file.is_readable]

    def passages(self, ids: Collection[int]) -> dict[int, models.Passage]:
        """Those of the passages that are in a file of this library. One query."""
        mine = models.Passage.objects.filter(content__files__in=list(self.names))
        return mine.distinct().in_bulk(ids)

    def beginnings(self, most: int) -> list[Hit]:
        """The first passages of the conversation's own files, for a message that asks for nothing. One query each."""
        hits: list[Hit] = []
        for file in self.files:
            if file.is_own and file.is_readable and file.id not in self.whole_ids:
                rows = models.Passage.objects.filter(content=file.content).order_by("position")[:most]
                hits += [_hit(file, row) for row in rows]
        return hits[:most]


def library(version: GPTVersion, own_ids: Collection[str]) -> Library:
    """The version's files and the conversation's own. One query, none without files."""
    listed: Iterable[dict[str, Any]] = version.files
    modes = {entry["id"]: entry for entry in listed}
    wanted = [*modes, *(pk for pk in own_ids if pk not in modes)]
    if not wanted:
        return Library()
    rows = KnowledgeFile.objects.select_related("content").in_bulk(wanted)
    files = []
    for pk in wanted:
        row, entry = rows.get(pk), modes.get(pk)
        name = entry["name"] if entry else row.name if row else ""
        is_full = entry is not None and entry["mode"] == "full"
        files.append(File(pk, name, is_full, entry is None, row.content if row else None))
    return Library(tuple(files))


def _hit(file: File, row: models.Passage) -> Hit:
    return Hit(
        passage_id=row.pk,
        file_id=file.id,
        file_name=file.name,
        content_id=row.content_id,
        position=row.position,
        kind=row.kind,
        number=row.number,
        title=row.title,
        text=row.text,
        overlap=row.overlap,
        fused=0.0,
    )
