"""What gpts keeps of a person: the GPTs they made, with pictures, the links they opened, and how their GPTs search.

Rows of searching name a GPT by its id, for the layer that keeps them knows no GPTs; whose they are is known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from django.core.files.storage import default_storage
from django.db.models import QuerySet

from gptbuilder.accounts.models import User
from gptbuilder.accounts.personal_data import Document, Holding, Table, remove_files
from gptbuilder.gpts.models import GPT, Draft, GPTVersion, LinkVisit, Picture
from gptbuilder.knowledge import cases, records
from gptbuilder.knowledge.models import RetrievalCase, RetrievalTrial, Search
from gptbuilder.workspaces.models import Membership


def documents(person: User) -> Iterator[Document]:
    for picture in Picture.objects.filter(gpt__owner=person).order_by("pk"):
        yield Document(f"pictures/{picture.pk}.webp", partial(_read, picture.file.name))


def _read(name: str) -> bytes | None:
    try:
        with default_storage.open(name) as file:
            content: bytes = file.read()
    except FileNotFoundError:
        return None
    return content


def delete(person: User) -> None:
    """What was made in a company's workspace stays there, with one of its owners; the rest goes with its files."""
    for gpt in GPT.objects.filter(owner=person).exclude(workspace__personal_of=person):
        owner = gpt.workspace.memberships.filter(role=Membership.Role.OWNER).exclude(user=person).first()
        if owner:
            GPT.objects.filter(pk=gpt.pk).update(owner=owner.user)
            # What the person searched is not the next one's to read; the cases are part of the GPT's making.
            records.forget(gpt.pk)
    for gpt_id in _ids(person):
        records.forget(gpt_id)
        cases.forget(gpt_id)
    remove_files(Picture.objects.filter(gpt__owner=person).values_list("file", flat=True))


def _ids(person: User) -> QuerySet[GPT, str]:
    return GPT.objects.filter(owner=person).values_list("pk", flat=True)


HOLDING = Holding(
    tables=(
        Table("gpts.GPT", lambda person: GPT.objects.filter(owner=person)),
        Table("gpts.Draft", lambda person: Draft.objects.filter(gpt__owner=person)),
        Table("gpts.GPTVersion", lambda person: GPTVersion.objects.filter(gpt__owner=person)),
        Table("gpts.Picture", lambda person: Picture.objects.filter(gpt__owner=person)),
        Table("gpts.LinkVisit", lambda person: LinkVisit.objects.filter(person=person), without=("token",)),
        # Of others' searches nobody knows whose they were.
        Table("knowledge.Search", lambda person: Search.objects.filter(holder_id__in=_ids(person), is_makers=True)),
        Table("knowledge.RetrievalCase", lambda person: RetrievalCase.objects.filter(holder_id__in=_ids(person))),
        Table("knowledge.RetrievalTrial", lambda person: RetrievalTrial.objects.filter(holder_id__in=_ids(person))),
    ),
    documents=documents,
    delete=delete,
)
