"""A chat as a file to keep: the shown branch as Markdown or JSON, or everything that was ever said in it as JSON.

A file is written while it is sent, some messages at a time, so a long chat needs neither memory nor a connection.
"""

from __future__ import annotations

import asyncio
import json
import re
import unicodedata
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from django.db import connections
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gptbuilder.accounts.requests import Request
from gptbuilder.conversations import faces
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.thread import Thread

MESSAGES_AT_ONCE = 50
FILENAME_LETTERS = 80
# Names that Windows keeps for devices.
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


@never_cache
@require_safe
def markdown(request: Request, thread_id: str) -> StreamingHttpResponse:
    """The shown branch to read."""
    thread = _thread(request, thread_id)
    return _download(as_markdown(thread, shown(thread), _("You"), _("Chat")), thread, "md", "text/markdown")


@never_cache
@require_safe
def json_shown(request: Request, thread_id: str) -> StreamingHttpResponse:
    """The shown branch for programs."""
    thread = _thread(request, thread_id)
    return _download(as_json(thread, shown(thread)), thread, "json", "application/json")


@never_cache
@require_safe
def json_all(request: Request, thread_id: str) -> StreamingHttpResponse:
    """All branches for programs: each message names its parent."""
    thread = _thread(request, thread_id)
    everything = list(thread.messages.order_by("pk").values_list("pk", flat=True))
    return _download(as_json(thread, everything), thread, "json", "application/json")


def shown(thread: Thread, end_id: str | None = None) -> list[str]:
    """The ids of the branch that ends here (by default the shown one), oldest first. One query, without the texts."""
    parents = dict(thread.messages.values_list("pk", "parent_id"))
    ids: list[str] = []
    at = end_id or thread.head_id
    while at in parents:
        ids.append(at)
        at = parents[at]
    return ids[::-1]


def as_markdown(thread: Thread, ids: Sequence[str], me: str, untitled: str) -> Iterator[str]:
    """A heading for the title and for each speaker. What was said stands as it was written."""
    yield f"# {thread.title or untitled}\n"
    for message in _messages(ids):
        speaker = me if message.is_mine else _name(thread, message)
        files = "".join(f"- {file.name}\n" for file in message.files.all())
        yield f"\n## {speaker}\n\n{files}{message.text.strip()}\n"


def as_json(thread: Thread, ids: Sequence[str]) -> Iterator[str]:
    """One object; `head` is the last message of the shown branch, `parent` what a message follows."""
    head: dict[str, Any] = {
        "id": thread.pk,
        "title": thread.title,
        "gpt": {"id": thread.gpt_id, "name": _name(thread)} if thread.gpt_id else None,
        "created_at": thread.created_at.isoformat(),
        "head": thread.head_id,
    }
    yield json.dumps(head, ensure_ascii=False, indent=1).rstrip("}\n") + ',\n "messages": ['
    for number, message in enumerate(_messages(ids)):
        said: dict[str, Any] = {
            "id": message.pk,
            "parent": message.parent_id,
            "role": message.role,
            "text": message.text,
            "created_at": message.created_at.isoformat(),
        }
        if files := [file.name for file in message.files.all()]:
            said["files"] = files
        if message.run:
            said |= {"status": message.run.status, "model": message.run.model}
        yield ("," if number else "") + "\n  " + json.dumps(said, ensure_ascii=False)
    yield "\n ]\n}\n"


def filename(title: str, extension: str) -> str:
    """A name for every file system: letters, digits and few signs; nothing invisible, no folders, no devices."""
    seen = (" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in title)
    plain = " ".join(re.sub(r'[\\/:*?"<>|%]', " ", "".join(seen)).split())
    stem = plain[:FILENAME_LETTERS].strip(" .")
    return f"{'chat' if not stem or RESERVED.fullmatch(stem.split('.')[0]) else stem}.{extension}"


def _thread(request: Request, thread_id: str) -> Thread:
    chats = Thread.objects.of(request.person).chats().select_related("gpt__draft", "gpt__live_version")
    return get_object_or_404(chats, pk=thread_id)


def _messages(ids: Sequence[str]) -> Iterator[Message]:
    for start in range(0, len(ids), MESSAGES_AT_ONCE):
        part = ids[start : start + MESSAGES_AT_ONCE]
        found = (
            Message.objects.select_related("run__version").prefetch_related("files__file").defer("html").in_bulk(part)
        )
        yield from (found[pk] for pk in part if pk in found)


def _name(thread: Thread, message: Message | None = None) -> str:
    """Who answered: the GPT under the name it had then."""
    if message and message.run and message.run.version:
        return message.run.version.name or "GPT"
    return (thread.gpt and faces.face(thread.gpt).name) or "GPT"


def _download(pieces: Iterator[str], thread: Thread, extension: str, kind: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_stream(pieces), content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, filename(thread.title, extension)) or ""
    response["X-Content-Type-Options"] = "nosniff"
    return response


async def _stream(pieces: Iterator[str]) -> AsyncIterator[bytes]:
    """Each piece is fetched in a thread, which keeps no connection while the client reads."""
    while (piece := await asyncio.to_thread(_next, pieces)) is not None:
        yield piece.encode()


def _next(pieces: Iterator[str]) -> str | None:
    try:
        return next(pieces, None)
    finally:
        connections.close_all()
