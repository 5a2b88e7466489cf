"""The files of a GPT: put into its draft, taken off, renamed, replaced, and erased from everywhere.

A draft and each version list their files by id (models.Configuration.files), so a version goes on with the files it was
published with. A file that no configuration lists any more is erased some days later (knowledge.holding).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from gptbuilder.gpts import drafts
from gptbuilder.gpts.models import GPT, Configuration, Draft, GPTVersion
from gptbuilder.knowledge import cases, erasing, uploads
from gptbuilder.knowledge.models import KnowledgeFile
from gptbuilder.knowledge.uploads import UploadRefused

Entry = dict[str, Any]

SEARCH, FULL = "search", "full"
TOO_MANY = _("A GPT can have %(most)d files. Remove one first.")


@dataclass(frozen=True)
class Held:
    """A file as a configuration lists it. Without `file` its row is gone; an erased one is there and says so."""

    id: str
    name: str
    mode: str
    file: KnowledgeFile | None

    @property
    def is_missing(self) -> bool:
        return self.file is None or self.file.is_erased

    @property
    def is_full(self) -> bool:
        return self.mode == FULL


def held(configuration: Configuration) -> list[Held]:
    """The files in the order of the list, with their contents. One query, none without files."""
    if not configuration.files:
        return []
    ids = [entry["id"] for entry in configuration.files]
    found = KnowledgeFile.objects.select_related("content").in_bulk(ids)
    return [Held(entry["id"], entry["name"], entry["mode"], found.get(entry["id"])) for entry in configuration.files]


def add(gpt: GPT, files: Iterable[KnowledgeFile]) -> None:
    """Put files at the end of the draft's list. Raises UploadRefused when there are too many; then none is added.
    The same content twice is listed once."""

    def change(entries: list[Entry]) -> list[Entry]:
        known = set(
            KnowledgeFile.objects.filter(pk__in=[entry["id"] for entry in entries]).values_list("content", flat=True)
        )
        new = [_entry(file) for file in files if file.content_id not in known]
        if len(entries) + len(new) > settings.KNOWLEDGE_FILES_PER_GPT:
            raise UploadRefused(TOO_MANY % {"most": settings.KNOWLEDGE_FILES_PER_GPT})
        return [*entries, *new]

    _change(gpt, change)


def remove(gpt: GPT, file_id: str) -> None:
    """Take a file off the draft. Versions that were published with it keep it."""
    _change(gpt, lambda entries: [entry for entry in entries if entry["id"] != file_id])


def put_back(gpt: GPT, entry: Entry, at: int) -> None:
    """Undo of `remove`. Nothing happens when the file is listed, or is none of this GPT's workspace."""

    def change(entries: list[Entry]) -> list[Entry]:
        mine = KnowledgeFile.objects.filter(pk=entry["id"], workspace=gpt.workspace_id).exists()
        if not mine or any(listed["id"] == entry["id"] for listed in entries):
            return entries
        return [*entries[:at], entry, *entries[at:]]

    _change(gpt, change)


def rename(gpt: GPT, file_id: str, name: str) -> None:
    """Call a file something else in this draft. Nothing happens when nothing is left of the name."""
    if name := uploads.clean_name(name):
        _change_one(gpt, file_id, lambda entry: {**entry, "name": name})


def set_mode(gpt: GPT, file_id: str, mode: str) -> None:
    """Search the file, or give it to the model whole where it fits."""
    _change_one(gpt, file_id, lambda entry: {**entry, "mode": FULL if mode == FULL else SEARCH})


def replace(gpt: GPT, file_id: str, file: KnowledgeFile) -> None:
    """Put another file in the place of this one; what should be found in it is looked for in the other."""
    with transaction.atomic():
        _change_one(gpt, file_id, lambda entry: {**_entry(file), "mode": entry["mode"]})
        cases.move(gpt.pk, file_id, file)


def versions_with(file_id: str) -> list[GPTVersion]:
    """The published versions that would lose this file if it were erased, newest first."""
    return list(
        GPTVersion.objects.filter(files__contains=[{"id": file_id}]).exclude(number=None).order_by("gpt_id", "-number")
    )


def erase(gpt: GPT, file_id: str, now: datetime) -> None:
    """The file is gone everywhere: bytes, passages, vectors. Versions that list it name it as missing."""
    with transaction.atomic():
        erasing.erase(KnowledgeFile.objects.filter(pk=file_id, workspace=gpt.workspace_id), now)
        remove(gpt, file_id)


def missing(configuration: Configuration) -> list[str]:
    """The names of files that were erased since they were listed. One query at most."""
    return [file.name for file in held(configuration) if file.is_missing]


def copied(entries: Iterable[Entry], gpt: GPT) -> list[Entry]:
    """Files of their own for another GPT of the same person, so that each can be erased alone. No bytes are copied
    within a workspace; erased ones are left out."""
    entries = list(entries)
    found = KnowledgeFile.objects.kept().filter(workspace=gpt.workspace_id).in_bulk([entry["id"] for entry in entries])
    copies = []
    for entry in entries:
        if file := found.get(entry["id"]):
            copy = uploads.copy(file)
            copies.append({**entry, "id": copy.pk})
    return copies


def listed(file_ids: Iterable[str]) -> set[str]:
    """Those of the files that a draft or a version lists: they are kept (settings.FILE_HOLDERS)."""
    return {file_id for file_id in file_ids if _is_listed([{"id": file_id}])}


def _is_listed(row: list[Entry]) -> bool:
    configurations: tuple[Any, ...] = (Draft.objects, GPTVersion.objects)
    return any(configuration.filter(files__contains=row).exists() for configuration in configurations)


def _entry(file: KnowledgeFile) -> Entry:
    return {"id": file.pk, "name": file.name, "mode": SEARCH}


def _change(gpt: GPT, change: Callable[[list[Entry]], list[Entry]]) -> None:
    with transaction.atomic():
        draft = Draft.objects.select_for_update().get(gpt=gpt)
        drafts.apply(gpt.pk, {"files": change(list(draft.files))})


def _change_one(gpt: GPT, file_id: str, change: Callable[[Entry], Entry]) -> None:
    _change(gpt, lambda entries: [change(entry) if entry["id"] == file_id else entry for entry in entries])
