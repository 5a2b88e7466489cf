"""What the pages of a conversation are given. The builder's two conversations are made of the same parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import Request
from gptbuilder.conversations import faces, turns
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.turns import TurnRefused
from gptbuilder.gpts import pictures
from gptbuilder.gpts.models import GPT, Configuration

CONVERSATION = _("Conversation")
BY_SOMEBODY = _("Who built this GPT cannot read your chats. Answers can be wrong.")
BY_OURSELVES = _("Answers can be wrong. Check what matters.")
STATUS_OF_REFUSAL = {"busy": 409, "limit": 429}


@dataclass(frozen=True)
class Pane:
    """One conversation as a part of a page: what `conversations/_pane.html` needs.

    `key` is chat, builder or preview. `channel` names it to the other tabs of the browser; `refresh_url` gives
    the pane anew.
    """

    key: str
    gpt: GPT | None
    face: Configuration | None
    post_url: str
    refresh_url: str = ""
    channel: str = ""
    thread: Thread | None = None
    lines: list[dict[str, Any]] = field(default_factory=list)
    stage: str = "conversations/_stage.html"
    label: str | Promise = CONVERSATION
    placeholder: str | Promise = ""
    note: str | Promise = ""

    @property
    def picture(self) -> str:
        return pictures.url(self.face, self.gpt.pk) if self.face and self.gpt else ""

    @property
    def unsent_key(self) -> str:
        """Under which name the browser keeps text that was not sent."""
        return self.channel or f"{self.key}:{self.gpt.pk if self.gpt else ''}"


def chat(thread: Thread) -> Pane:
    """A chat that has begun. Expects the thread's GPT with draft and live version."""
    gpt = thread.gpt
    here = reverse("conversations:thread", args=[thread.pk])
    return Pane(
        key="chat",
        gpt=gpt,
        face=faces.face(gpt) if gpt else None,
        post_url=reverse("conversations:messages", args=[thread.pk]),
        refresh_url=here,
        channel=thread.pk,
        thread=thread,
        lines=lines(thread),
        note=_note(gpt, thread.owner_id),
    )


def new_chat(gpt: GPT, post_url: str, person: User | None) -> Pane:
    """A chat before its first message."""
    note = _note(gpt, person.pk if person else "")
    return Pane(key="chat", gpt=gpt, face=faces.face(gpt), post_url=post_url, note=note)


def _note(gpt: GPT | None, person_id: str) -> str | Promise:
    return BY_OURSELVES if gpt is None or gpt.builtin or gpt.owner_id == person_id else BY_SOMEBODY


def lines(thread: Thread) -> list[dict[str, Any]]:
    """The shown branch and, at its end, the answer that is being made or that failed. Oldest first."""
    found: list[dict[str, Any]] = []
    for message in thread.path():
        if message.is_mine or message.run is None:
            found.append({"message": message})
        else:
            found.append(answer(message.run, thread))
    run = turns.latest_run(thread)
    if run:
        found.append(answer(run, thread))
    return found


def answer(run: Run, thread: Thread) -> dict[str, Any]:
    """The context of a finished or a pending answer. `thread` has its GPT, draft and live version fetched."""
    run.thread = thread
    return faces.answer_context(run)


def begin(person: User, gpt: GPT, text: str, purpose: str = Thread.Purpose.CHAT, subject: GPT | None = None) -> Run:
    """A new thread and its first turn, or neither. Raises TurnRefused."""
    with transaction.atomic():
        return turns.start_turn(turns.start_thread(person, gpt, purpose, subject), person, text, timezone.now())


def key_of(thread: Thread) -> str:
    """The pane this thread is shown in: its purpose."""
    return str(thread.purpose)


def turn(request: Request, run: Run, thread: Thread) -> HttpResponse:
    """The person's message and the bubble that opens the stream."""
    return render(request, "conversations/_turn.html", {"question": run.question, **answer(run, thread)})


def refused(request: Request, refusal: TurnRefused, key: str) -> HttpResponse:
    """Why a message was not accepted, above the composer; the text stays in it."""
    status = STATUS_OF_REFUSAL.get(refusal.code, 422)
    response = render(request, "conversations/_refusal.html", {"sentence": str(refusal)}, status=status)
    response["HX-Retarget"] = f"#trouble-{key}"
    response["HX-Reswap"] = "innerHTML"
    return response
