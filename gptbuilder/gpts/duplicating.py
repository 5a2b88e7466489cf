"""A GPT made from another one's draft."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext

from gptbuilder.accounts.models import User
from gptbuilder.gpts import drafts, files, pictures
from gptbuilder.gpts.models import GPT, Configuration


def duplicate(gpt: GPT, owner: User) -> GPT:
    """A private GPT with this one's draft: neither its versions, its link, its locks nor its chats.

    The picture and the files are its own, so that each can be erased alone.
    """
    draft = gpt.draft
    with transaction.atomic():
        copy = drafts.create(owner)
        picture = pictures.copy(draft.picture, copy) if draft.picture else None
        values = {
            "name": name_of_copy(draft.name),
            "picture_id": picture.pk if picture else None,
            "files": files.copied(draft.files, copy),
        }
        drafts.apply(copy.pk, draft.configuration() | values)
    return copy


def name_of_copy(name: str) -> str:
    """The name with a word that tells them apart; the name is cut, never that word."""
    if not name:
        return ""
    room = Configuration.NAME_LENGTH - len(gettext("%(name)s copy") % {"name": ""})
    return gettext("%(name)s copy") % {"name": name[:room].rstrip()}
