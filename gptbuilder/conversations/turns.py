"""What a person can do to a thread: begin it, say something, ask for another answer, stop an answer."""

from __future__ import annotations

import logging
from datetime import datetime

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy
from kombu.exceptions import OperationalError as BrokerAway

from gptbuilder.accounts.models import User
from gptbuilder.conversations import live
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import builtin, versions
from gptbuilder.gpts.models import GPT, GPTVersion
from gptbuilder.usage import limits
from gptbuilder.workspaces.models import Workspace

log = logging.getLogger(__name__)

TITLE_LENGTH = 60


class TurnRefused(Exception):
    """The message was not accepted, and why, in the person's language. `code` is a word for programs."""

    def __init__(self, code: str, sentence: str | Promise) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


BUSY = gettext_lazy("An answer is still being written. Wait for it or stop it first.")
NOTHING_SAID = gettext_lazy("Write something first.")
NOT_SHARED = gettext_lazy("This GPT is not shared with you any more. What was said stays here.")
NOTHING_TO_ANSWER = gettext_lazy("There is nothing to answer again yet.")


def start_thread(person: User, gpt: GPT, purpose: str = Thread.Purpose.CHAT, subject: GPT | None = None) -> Thread:
    """An empty thread in the person's personal workspace."""
    return Thread.objects.create(
        workspace=Workspace.objects.personal(person), owner=person, gpt=gpt, purpose=purpose, subject=subject
    )


def start_turn(thread: Thread, person: User, text: str, now: datetime) -> Run:
    """Store what the person said and queue the run that answers it, in one transaction.

    `thread` is brought up to date. Raises TurnRefused, and then has stored nothing.
    """
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not text:
        raise TurnRefused("empty", NOTHING_SAID)
    if len(text) > settings.MESSAGE_MAX_CHARACTERS:
        raise TurnRefused("too_long", too_long())
    version = _allowed(thread, person, now)
    with transaction.atomic():
        _lock(thread)
        question = Message.objects.create(thread=thread, parent_id=thread.head_id, role=Message.Role.USER, text=text)
        thread.head = question
        if not thread.title:
            thread.title = title_of(text)
        thread.save(update_fields=["head", "title", "updated_at"])
        User.objects.filter(pk=person.pk).update(last_seen_at=now)
        return _queue(thread, version, person, question)


def regenerate(thread: Thread, person: User, now: datetime) -> Run:
    """Answer the last question of the shown branch once more; the earlier answer stays beside the new one."""
    version = _allowed(thread, person, now)
    with transaction.atomic():
        _lock(thread)
        question = thread.head
        if question and not question.is_mine:
            question = question.parent
        if question is None:
            raise TurnRefused("nothing", NOTHING_TO_ANSWER)
        thread.head = question
        thread.save(update_fields=["head", "updated_at"])
        return _queue(thread, version, person, question)


def cancel(run: Run) -> None:
    """Stop an answer. What was written so far is kept by the worker that holds it. Safe to call twice."""
    if Run.objects.filter(pk=run.pk, status=Run.Status.QUEUED).update(
        status=Run.Status.CANCELLED, finished_at=timezone.now()
    ):
        live.announce_end(run)
    elif Run.objects.filter(pk=run.pk, status=Run.Status.IN_PROGRESS).update(status=Run.Status.CANCELLING):
        live.ask_to_stop(run.pk)


def latest_run(thread: Thread) -> Run | None:
    """The run that answers the thread's last message: active, or ended without an answer."""
    if thread.head_id is None:
        return None
    return Run.objects.filter(question_id=thread.head_id).order_by("-id").first()


def send(run_id: str) -> None:
    """Hand a queued run to the workers. Without a broker it stays queued, and the reaper sends it later."""
    try:
        current_app.send_task("gptbuilder.conversations.tasks.execute_run", [run_id], queue="runs")
    except (BrokerAway, OSError):
        log.warning("the broker is away; the run waits", extra={"run": run_id})


def title_of(text: str) -> str:
    """A title from the person's own words: the first line, cut at a word."""
    line = " ".join(text.split("\n", 1)[0].split())
    if len(line) <= TITLE_LENGTH:
        return line
    shorter = line[:TITLE_LENGTH]
    return (shorter.rsplit(" ", 1)[0] if " " in shorter[TITLE_LENGTH // 2 :] else shorter) + "…"


def too_long() -> str:
    return gettext("That is too long for one message: at most %(most)s characters.") % {
        "most": f"{settings.MESSAGE_MAX_CHARACTERS:,}"
    }


def _allowed(thread: Thread, person: User, now: datetime) -> GPTVersion:
    """The version that may answer in this thread now. Raises TurnRefused."""
    gpt = thread.gpt
    if gpt is None:
        raise TurnRefused("gone", NOT_SHARED)
    try:
        limits.check_message(person, thread.workspace, gpt.pk, now)
    except limits.LimitReached as reached:
        raise TurnRefused("limit", limit_sentence(reached)) from reached
    if thread.purpose == Thread.Purpose.CHAT:
        allowed = GPT.objects.usable_by(person).filter(pk=gpt.pk)
    else:
        allowed = GPT.objects.editable_by(person).filter(pk=thread.subject_id or gpt.pk)
    if not allowed.exists():
        raise TurnRefused("gone", NOT_SHARED)
    if thread.purpose == Thread.Purpose.PREVIEW:
        return versions.snapshot(gpt.draft)
    return builtin.live(gpt)


def limit_sentence(reached: limits.LimitReached) -> str:
    return gettext("The limit of %(limit)s messages is reached. It ends at %(time)s.") % {
        "limit": reached.limit,
        "time": timezone.localtime(reached.until).strftime("%H:%M"),
    }


def _lock(thread: Thread) -> None:
    """Read the thread anew and keep everybody else from changing it until the transaction ends."""
    thread.refresh_from_db(from_queryset=Thread.objects.select_for_update())
    if thread.runs.active().exists():
        raise TurnRefused("busy", BUSY)


def _queue(thread: Thread, version: GPTVersion, person: User, question: Message) -> Run:
    try:
        with transaction.atomic():
            run = Run.objects.create(thread=thread, version=version, person=person, question=question)
    except IntegrityError as error:
        raise TurnRefused("busy", BUSY) from error
    transaction.on_commit(lambda: send(run.pk))
    return run
