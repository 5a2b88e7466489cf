"""What conversations keeps of a person: their threads with all in them, also as text to read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import formats, timezone
from django.utils.translation import gettext

from gptbuilder.accounts.models import User
from gptbuilder.accounts.personal_data import Document, Holding, Table
from gptbuilder.conversations.models.attachment import Attachment
from gptbuilder.conversations.models.feedback import Feedback
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.queued import QueuedMessage
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.share import Share
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.models.thread_file import ThreadFile

NAME_LENGTH = 60


def documents(person: User) -> Iterator[Document]:
    for thread in Thread.objects.filter(owner=person).order_by("pk"):
        yield Document(_path(thread), partial(_as_bytes, thread))
    for attachment in attachments(person).order_by("pk"):
        yield Document(f"images/{attachment.pk}.jpg", partial(_read, attachment.file.name))


def attachments(person: User) -> QuerySet[Attachment]:
    """All images in the person's conversations, and those they uploaded and did not send."""
    mine = Q(message__thread__owner=person) | Q(queued__thread__owner=person)
    return Attachment.objects.filter(mine | Q(person=person))


def _read(name: str) -> bytes | None:
    try:
        with default_storage.open(name) as file:
            content: bytes = file.read()
    except FileNotFoundError:
        return None
    return content


def delete(person: User) -> None:
    """The files of images go once no row of anybody else names them."""
    files = set(attachments(person).values_list("file", flat=True))

    def remove() -> None:
        for name in files - set(Attachment.objects.filter(file__in=files).values_list("file", flat=True)):
            default_storage.delete(name)

    transaction.on_commit(remove)


def _path(thread: Thread) -> str:
    """A name a file may have on any system; the id keeps two of one title apart."""
    title = re.sub(r"[^\w -]+", " ", thread.title)[:NAME_LENGTH].strip() or thread.purpose
    return f"chats/{thread.created_at:%Y-%m-%d} {title} {thread.pk[-6:]}.md"


def as_markdown(thread: Thread) -> str:
    """The shown branch, as a document."""
    parts = [f"# {thread}"]
    for message in thread.path():
        run = message.run
        name = run.version.name if run and run.version else "GPT"
        author = gettext("You") if message.is_mine else name or "GPT"
        moment = formats.date_format(timezone.localtime(message.created_at), "DATETIME_FORMAT")
        parts.append(f"**{author}** · {moment}\n\n{message.text}")
    return "\n\n".join(parts) + "\n"


def _as_bytes(thread: Thread) -> bytes:
    return as_markdown(thread).encode()


HOLDING = Holding(
    tables=(
        Table("conversations.Thread", lambda person: Thread.objects.filter(owner=person)),
        Table("conversations.Message", lambda person: Message.objects.filter(thread__owner=person)),
        Table("conversations.Run", lambda person: Run.objects.filter(thread__owner=person)),
        Table("conversations.RunStep", lambda person: RunStep.objects.filter(run__thread__owner=person)),
        Table("conversations.QueuedMessage", lambda person: QueuedMessage.objects.filter(thread__owner=person)),
        Table("conversations.Attachment", attachments),
        Table("conversations.ThreadFile", lambda person: ThreadFile.objects.filter(person=person)),
        Table("conversations.Feedback", lambda person: Feedback.objects.filter(person=person)),
        Table("conversations.Share", lambda person: Share.objects.filter(thread__owner=person), without=("token",)),
    ),
    documents=documents,
    delete=delete,
)
