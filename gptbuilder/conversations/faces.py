"""How a GPT shows itself in a conversation: the configuration whose name and picture are on the page."""

from __future__ import annotations

from typing import Any

from gptbuilder.conversations import sentences
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import pictures
from gptbuilder.gpts.models import GPT, Configuration


def face(gpt: GPT, *, of_draft: bool = False) -> Configuration:
    """The draft in a preview, what is live elsewhere. A GPT that was never published shows its draft."""
    if of_draft or gpt.live_version is None:
        return gpt.draft
    return gpt.live_version


def answer_context(run: Run) -> dict[str, Any]:
    """What `conversations/_answer.html` needs. Expects thread, GPT, draft and answer to be fetched."""
    gpt = run.thread.gpt
    shown = face(gpt, of_draft=run.thread.purpose == Thread.Purpose.PREVIEW) if gpt else run.version
    try:
        answer: Message | None = run.answer
    except Message.DoesNotExist:
        answer = None
    return {
        "run": run,
        "message": answer,
        "face": shown,
        "picture": pictures.url(shown, gpt.pk) if shown and gpt else "",
        "failure": sentences.failure(run),
        "is_last": True,
    }
