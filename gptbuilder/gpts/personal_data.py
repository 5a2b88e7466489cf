"""What gpts keeps of a person: the GPTs they made, with pictures, and the links they opened."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from django.core.files.storage import default_storage

from gptbuilder.accounts.models import User
from gptbuilder.accounts.personal_data import Document, Holding, Table, remove_files
from gptbuilder.gpts.models import GPT, Draft, GPTVersion, LinkVisit, Picture
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
    remove_files(Picture.objects.filter(gpt__owner=person).values_list("file", flat=True))


HOLDING = Holding(
    tables=(
        Table("gpts.GPT", lambda person: GPT.objects.filter(owner=person)),
        Table("gpts.Draft", lambda person: Draft.objects.filter(gpt__owner=person)),
        Table("gpts.GPTVersion", lambda person: GPTVersion.objects.filter(gpt__owner=person)),
        Table("gpts.Picture", lambda person: Picture.objects.filter(gpt__owner=person)),
        Table("gpts.LinkVisit", lambda person: LinkVisit.objects.filter(person=person), without=("token",)),
    ),
    documents=documents,
    delete=delete,
)
