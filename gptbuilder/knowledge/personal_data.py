"""What knowledge keeps of a person: the files they gave. Closing the account erases them, wherever they are used."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import PurePath

from django.core.files.storage import default_storage
from django.db.models import Q
from django.utils import timezone

from gptbuilder.accounts.models import User
from gptbuilder.accounts.personal_data import Document, Holding, Table
from gptbuilder.knowledge import erasing
from gptbuilder.knowledge.models import Content, KnowledgeFile, KnowledgeFileQuerySet, Upload

NAME_LENGTH = 80


def files(person: User) -> KnowledgeFileQuerySet:
    return KnowledgeFile.objects.filter(uploaded_by=person)


def documents(person: User) -> Iterator[Document]:
    for file in files(person).kept().select_related("content").order_by("pk"):
        if file.content:
            yield Document(_path(file), partial(_read, file.content.file.name))


def delete(person: User) -> None:
    """Also what others' files keep alive in a workspace that goes with the person."""
    own = Q(uploaded_by=person) | Q(workspace__personal_of=person)
    erasing.erase(KnowledgeFile.objects.kept().filter(own), timezone.now())
    erasing.forget(Content.objects.filter(workspace__personal_of=person))


def _path(file: KnowledgeFile) -> str:
    """A name that any system takes; the id keeps two of one name apart."""
    name = PurePath(file.name)
    stem = "".join(letter if letter.isalnum() or letter in " -" else " " for letter in name.stem).strip()
    suffix = name.suffix if name.suffix[1:].isalnum() else ""
    return f"knowledge/{stem[:NAME_LENGTH] or 'file'} {file.pk[-6:]}{suffix[:10]}"


def _read(name: str) -> bytes | None:
    try:
        with default_storage.open(name) as file:
            content: bytes = file.read()
    except FileNotFoundError:
        return None
    return content


HOLDING = Holding(
    tables=(
        Table("knowledge.KnowledgeFile", files),
        Table("knowledge.Upload", lambda person: Upload.objects.filter(person=person)),
    ),
    impersonal={
        "knowledge.Content": "the bytes and the state of files, which are exported as they were given",
        "knowledge.Passage": "made from the files",
        "knowledge.Posting": "made from the files",
        "knowledge.Vector": "made from the files",
        "knowledge.EmbeddingIndex": "which model made the vectors",
    },
    documents=documents,
    delete=delete,
)
