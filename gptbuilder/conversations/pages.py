"""What the pages of a conversation are given. The builder's two conversations are made of the same parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import Request
from gptbuilder.conversations import faces, thread_files, turns
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.queued import QueuedMessage
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.turns import TurnRefused
from gptbuilder.gpts import pictures
from gptbuilder.gpts.models import GPT, Configuration
from gptbuilder.tools import models
from gptbuilder.web import paths
from gptbuilder.web.ready import Ready

QUEUED = Ready(lambda thread_id: QueuedMessage.objects.filter(thread=thread_id), str)

CONVERSATION = _("Conversation")
BY_SOMEBODY = _("Who built this GPT cannot read your chats. Answers can be wrong.")
# Of chats that search files: knowledge/records.py.
BY_SOMEBODY_WITH_FILES = _(
    "Who built this GPT cannot read your chats. What five people search for in the same words is shown to them, "
    "without names. Answers can be wrong."
)
BY_OURSELVES = _("Answers can be wrong. Check what matters.")
STATUS_OF_REFUSAL = {"busy": 409, "limit": 429}


@dataclass(frozen=True)
class Pane:
    """One conversation as a part of a page: what `conversations/_pane.html` needs.

    `key` is chat, builder or preview. `channel` names it to the other tabs of the browser; `refresh_url` gives
    the pane anew; `branch_url` shows the branch of a message that is wanted and not in `lines`.
    """

    key: str
    gpt: GPT | None
    face: Configuration | None
    post_url: str
    refresh_url: str = ""
    branch_url: str = ""
    channel: str = ""
    thread: Thread | None = None
    lines: list[dict[str, Any]] = field(default_factory=list)
    stage: str = "conversations/_stage.html"
    label: str | Promise = CONVERSATION
    placeholder: str | Promise = ""
    note: str | Promise = ""
    queued: Sequence[QueuedMessage] = ()
    takes_images: bool = False
    takes_files: bool = False

    @property
    def picture(self) -> str:
        return pictures.url(self.face, self.gpt.pk) if self.face and self.gpt else ""

    @property
    def unsent_key(self) -> str:
        """Under which name the browser keeps text that was not sent."""
        return self.channel or f"{self.key}:{self.gpt.pk if self.gpt else ''}"


def chat(thread: Thread) -> Pane:
    """A chat that has begun. Expects the thread's GPT with draft and live version."""
    return _chat(thread, lines(thread), waiting(thread))


def begun(run: Run) -> Pane:
    """A chat whose first message this run answers: all of it is at hand, nothing is read."""
    return _chat(run.thread, [{"message": run.question}, answer(run, run.thread)], [])


def _chat(thread: Thread, shown: list[dict[str, Any]], queued: Sequence[QueuedMessage]) -> Pane:
    gpt = thread.gpt
    here = paths.path("conversations:thread", thread.pk)
    return Pane(
        key="chat",
        gpt=gpt,
        face=faces.face(gpt) if gpt else None,
        post_url=paths.path("conversations:messages", thread.pk),
        refresh_url=here,
        channel=thread.pk,
        thread=thread,
        lines=shown,
        note=_note(gpt, faces.face(gpt) if gpt else None, thread.owner_id),
        queued=queued,
        takes_images=sees(faces.face(gpt)) if gpt else False,
        takes_files=thread_files.may_attach(thread.owner),
    )


def leading_to(pane: Pane, message_id: str) -> Pane:
    """The pane, which shows the branch of this message of its thread first, if another one is shown."""
    if pane.thread is None or any(line["message"] and line["message"].pk == message_id for line in pane.lines):
        return pane
    if not pane.thread.messages.filter(pk=message_id).exists():
        return pane
    return replace(pane, branch_url=paths.path("conversations:branch", message_id))


def new_chat(gpt: GPT, post_url: str, person: User | None) -> Pane:
    """A chat before its first message."""
    face = faces.face(gpt)
    note = _note(gpt, face, person.pk if person else "")
    takes_images = person is not None and sees(face)
    takes_files = thread_files.may_attach(person)
    return Pane("chat", gpt, face, post_url, note=note, takes_images=takes_images, takes_files=takes_files)


def _note(gpt: GPT | None, face: Configuration | None, person_id: str) -> str | Promise:
    if gpt is None or gpt.builtin or gpt.owner_id == person_id:
        return BY_OURSELVES
    return BY_SOMEBODY_WITH_FILES if face and face.files else BY_SOMEBODY


def lines(thread: Thread) -> list[dict[str, Any]]:
    """The shown branch and, at its end, the answer that is being made or that failed. Oldest first."""
    run = turns.latest_run(thread)
    if run and not run.is_active and Message.objects.filter(run=run).exists():
        # It ended after the thread was read, and a message that waited may be a turn by now.
        thread.refresh_from_db(fields=["head"])
        thread.has_images = thread.has_files = thread.has_opinions = True
        run = turns.latest_run(thread)
    path = thread.path()
    faces.furnish(path, thread)
    found: list[dict[str, Any]] = []
    for message in path:
        if message.is_mine or message.run is None:
            found.append({"message": message})
        else:
            found.append(answer(message.run, thread))
    if run:
        place = None if run.is_active else faces.beside_failure(run)
        found.append({**answer(run, thread), "place": place})
    return found


def waiting(thread: Thread) -> list[QueuedMessage]:
    """The messages that wait in this thread, each with its images and files."""
    queued = QUEUED.rows(thread.pk) if thread.has_queued else []
    prefetch_related_objects(queued, "attachments", "files__file__content")
    for message in queued:
        message.images = list(message.attachments.all())
        message.given = list(message.files.all())
    return queued


def sees(configuration: Configuration) -> bool:
    """Whether the model that answers for this configuration understands images."""
    return models.entry_of(configuration).vision


def answer(run: Run, thread: Thread) -> dict[str, Any]:
    """The context of a finished or a pending answer. `thread` has its GPT, draft and live version fetched."""
    run.thread = thread
    return faces.answer_context(run)


def key_of(thread: Thread) -> str:
    """The pane this thread is shown in: its purpose."""
    return str(thread.purpose)


def turn(request: Request, said: Run | QueuedMessage, thread: Thread) -> HttpResponse:
    """The person's message and the bubble that opens the stream; or, above the composer, what waits."""
    if isinstance(said, QueuedMessage):
        return queue(request, thread)
    if said.question:
        faces.furnish([said.question], thread)
    return render(request, "conversations/_turn.html", {"question": said.question, **answer(said, thread)})


def queue(request: Request, thread: Thread) -> HttpResponse:
    """What waits, wherever the request came from."""
    response = render(request, "conversations/_queue.html", queue_context(thread))
    response["HX-Retarget"] = f"#queue-{key_of(thread)}"
    response["HX-Reswap"] = "outerHTML"
    return response


def queue_context(thread: Thread) -> dict[str, Any]:
    """What `conversations/_queue.html` needs."""
    return {"queued": waiting(thread), "key": key_of(thread), "thread": thread}


def refused(request: Request, refusal: TurnRefused, key: str) -> HttpResponse:
    """Why a message was not accepted, above the composer; the text stays in it."""
    status = STATUS_OF_REFUSAL.get(refusal.code, 422)
    response = render(request, "conversations/_refusal.html", {"sentence": str(refusal)}, status=status)
    response["HX-Retarget"] = f"#trouble-{key}"
    response["HX-Reswap"] = "innerHTML"
    return response
