"""Titles of threads. The person's own words are the title at once; a long first message gets a summary later."""

from __future__ import annotations

import json

from celery import current_app
from kombu.exceptions import OperationalError as BrokerAway

from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.turns import TITLE_LENGTH, title_of
from gptbuilder.gateway import chat
from gptbuilder.gateway.errors import GatewayError
from gptbuilder.gateway.types import ChatRequest, SystemMessage, UserMessage
from gptbuilder.tools import models

PROMPT = (
    "Give this conversation a title of at most six words, in the language of the conversation. "
    "Answer with the title alone, without quotation marks."
)
READ_CHARACTERS = 2000


def request(run: Run) -> None:
    """Ask for a better title after the first answer, if the person's words are too long to be one.

    A demonstration model is left in peace: it answers one request at a time.
    """
    question = run.question
    if question is None or question.parent_id or len(question.text) <= TITLE_LENGTH or models.entry().is_demonstration:
        return
    try:
        current_app.send_task("gptbuilder.conversations.tasks.title_thread", [run.pk], queue="runs")
    except (BrokerAway, OSError):
        return  # The thread keeps the title it has.


def summarise(run_id: str) -> None:
    """Ask the model for the title of this run's thread. A title that somebody changed meanwhile stays."""
    run = Run.objects.select_related("thread", "question", "answer").get(pk=run_id)
    provisional = title_of(run.question.text) if run.question else ""
    dialogue = json.dumps(
        {
            "person": run.question.text[:READ_CHARACTERS] if run.question else "",
            "answer": run.answer.text[:READ_CHARACTERS],
        },
        ensure_ascii=False,
    )
    try:
        completion = chat.complete(
            models.entry(), ChatRequest((SystemMessage(PROMPT), UserMessage(dialogue)), max_tokens=32)
        )
    except GatewayError:
        return
    title = title_of(completion.text.strip().strip("\"'“”「」《》."))
    if title:
        Thread.objects.filter(pk=run.thread_id, title=provisional).update(title=title)
