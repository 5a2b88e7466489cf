"""What a person can do to a thread: begin it, say something, ask for another answer, stop an answer."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from contextlib import nullcontext
from datetime import datetime, timedelta

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy
from kombu.exceptions import OperationalError as BrokerAway

from gptbuilder.accounts.models import User
from gptbuilder.conversations import live
from gptbuilder.conversations.models.attachment import Attachment, new_attachment_id
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.models.thread_file import ThreadFile, new_thread_file_id
from gptbuilder.gpts import builtin, versions
from gptbuilder.gpts.models import GPT, GPTVersion
from gptbuilder.usage import limits
from gptbuilder.web import ready
from gptbuilder.web.ready import Ready
from gptbuilder.workspaces.models import Workspace

log = logging.getLogger(__name__)

LATEST = Ready(lambda question_id: Run.objects.filter(question=question_id).order_by("-id")[:1], str)

TITLE_LENGTH = 60
SEEN_EVERY = timedelta(minutes=10)


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
DELETED = gettext_lazy("This chat was deleted. You find it under archived chats.")
NO_LONGER_THERE = gettext_lazy("This GPT does not exist any more. What was said stays here.")
IMAGE_MISSING = gettext_lazy("An image of this message is not there any more. Take it out and add it again.")
FILE_MISSING = gettext_lazy("A file of this message is not there any more. Take it out and add it again.")
NOTHING_TO_ANSWER = gettext_lazy("There is nothing to answer again yet.")


def start_thread(person: User, gpt: GPT, purpose: str = Thread.Purpose.CHAT, subject: GPT | None = None) -> Thread:
    """An empty thread in the person's personal workspace."""
    return Thread.objects.create(
        workspace=Workspace.objects.personal(person), owner=person, gpt=gpt, purpose=purpose, subject=subject
    )


def start_turn(
    thread: Thread, person: User, text: str, now: datetime, images: Iterable[str] = (), files: Iterable[str] = ()
) -> Run:
    """Store what the person said and queue the run that answers it, in one transaction.

    `images` and `files` are ids of this person's attachments that were not sent yet. `thread` is brought up to date.
    Raises TurnRefused, and then has stored nothing.
    """
    images, files = list(images), list(files)
    text = words(text, [*images, *files])
    version = _allowed(thread, person, now)
    with transaction.atomic():
        _lock(thread)
        question = _say(thread, thread.head_id, text, files, now)
        take(images, person, message=question)
        take_files(files, person, message=question)
        return _queue(thread, version, person, question)


def begin(
    person: User,
    gpt: GPT,
    text: str,
    now: datetime,
    purpose: str = Thread.Purpose.CHAT,
    subject: GPT | None = None,
    images: Iterable[str] = (),
    files: Iterable[str] = (),
) -> Run:
    """A new thread and its first turn, or neither. Expects a GPT that was fetched through this person.

    Nobody else knows the thread yet, so nothing is locked or read again. Raises TurnRefused.
    """
    images, files = list(images), list(files)
    text = words(text, [*images, *files])
    workspace = Workspace.objects.personal(person)
    _count(person, workspace, gpt, now)
    thread = Thread(
        workspace=workspace, owner=person, gpt=gpt, purpose=purpose, subject=subject, title=_title(text, files)
    )
    question = thread.head = Message(thread=thread, role=Message.Role.USER, text=text)
    version = versions.snapshot(gpt.draft) if purpose == Thread.Purpose.PREVIEW else builtin.live(gpt)
    run = Run(thread=thread, version=version, person=person, question=question)
    # A transaction costs two more trips to the database than the one statement alone.
    with transaction.atomic() if images or files else nullcontext():
        ready.insert(thread, question, run)
        take(images, person, message=question)
        take_files(files, person, message=question)
        transaction.on_commit(lambda: send(run.pk))
    _seen(person, now)
    return run


def edit(message: Message, person: User, text: str, now: datetime) -> Run:
    """Say the same in other words: a sibling of the message, with the same images and files, and a run that answers
    it. What followed the message stays with it. Expects the message with its thread. Raises TurnRefused."""
    thread, images, files = message.thread, list(message.attachments.all()), list(message.files.all())
    text = words(text, [*images, *files])
    version = _allowed(thread, person, now)
    with transaction.atomic():
        _lock(thread)
        question = _say(thread, message.parent_id, text, files, now)
        for image in images:
            image.pk, image.message = new_attachment_id(), question
        Attachment.objects.bulk_create(images)
        for file in files:
            file.pk, file.message = new_thread_file_id(), question
        ThreadFile.objects.bulk_create(files)
        return _queue(thread, version, person, question)


def show_branch(thread: Thread, message_id: str) -> None:
    """Show the branch through this message of the thread, up to what was said last below it. Raises TurnRefused."""
    with transaction.atomic():
        _lock(thread)
        below = {message_id}
        # A message is younger than its parent, and ids sort by age: one pass finds all that follows.
        for pk, parent_id in thread.messages.order_by("pk").values_list("pk", "parent_id"):
            if parent_id in below:
                below.add(pk)
        thread.head_id = max(below)
        Thread.objects.filter(pk=thread.pk).update(head=thread.head_id)


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
    return LATEST.first(thread.head_id)


def send(run_id: str) -> None:
    """Hand a queued run to the workers. Without a broker it stays queued, and the reaper sends it later."""
    try:
        current_app.send_task("gptbuilder.conversations.tasks.execute_run", [run_id], queue="runs")
    except (BrokerAway, OSError):
        log.warning("the broker is away; the run waits", extra={"run": run_id})


def words(text: str, attached: Collection[object] = ()) -> str:
    """The text as it is stored. Only a message with an image or a file may be without words. Raises TurnRefused."""
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not text and not attached:
        raise TurnRefused("empty", NOTHING_SAID)
    if len(text) > settings.MESSAGE_MAX_CHARACTERS:
        raise TurnRefused("too_long", too_long())
    return text


def take(images: Collection[str], person: User, **place: Model) -> None:
    """Give the person's unsent images to a message or to one that waits: all of them, or TurnRefused."""
    if not images:
        return
    taken = Attachment.objects.unsent().filter(pk__in=images, person=person).update(**place)
    if len(set(images)) > Attachment.MOST or taken != len(set(images)):
        raise TurnRefused("image", IMAGE_MISSING)


def take_files(files: Collection[str], person: User, **place: Model) -> None:
    """The same with the person's unsent files."""
    if not files:
        return
    taken = ThreadFile.objects.unsent().filter(pk__in=files, person=person).update(**place, is_sent=True)
    if len(set(files)) > ThreadFile.MOST or taken != len(set(files)):
        raise TurnRefused("file", FILE_MISSING)


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
    if gpt is None or gpt.deleted_at:
        raise TurnRefused("gone", NO_LONGER_THERE)
    _count(person, thread.workspace, gpt, now)
    if thread.purpose == Thread.Purpose.CHAT:
        allowed = GPT.objects.usable_by(person).filter(pk=gpt.pk)
    else:
        allowed = GPT.objects.editable_by(person).filter(pk=thread.subject_id or gpt.pk)
    if not allowed.exists():
        raise TurnRefused("gone", NOT_SHARED)
    if thread.purpose == Thread.Purpose.PREVIEW:
        return versions.snapshot(gpt.draft)
    return builtin.live(gpt)


def _count(person: User, workspace: Workspace, gpt: GPT, now: datetime) -> None:
    try:
        limits.check_message(person, workspace, gpt.pk, now)
    except limits.LimitReached as reached:
        raise TurnRefused("limit", limit_sentence(reached)) from reached


def _seen(person: User, now: datetime) -> None:
    """Note that the person is there; at most every SEEN_EVERY."""
    if person.last_seen_at < now - SEEN_EVERY:
        User.objects.filter(pk=person.pk).update(last_seen_at=now)


def limit_sentence(reached: limits.LimitReached) -> str:
    return gettext("The limit of %(limit)s messages is reached. It ends at %(time)s.") % {
        "limit": reached.limit,
        "time": timezone.localtime(reached.until).strftime("%H:%M"),
    }


def _lock(thread: Thread) -> None:
    """Read the thread anew and keep everybody else from changing it until the transaction ends."""
    thread.refresh_from_db(from_queryset=Thread.objects.select_for_update())
    if thread.deleted_at:
        raise TurnRefused("gone", DELETED)
    if thread.runs.active().exists():
        raise TurnRefused("busy", BUSY)


def _say(thread: Thread, parent_id: str | None, text: str, files: Collection[object], now: datetime) -> Message:
    """Store what the person said below this message; it is the thread's head then."""
    question = Message.objects.create(thread=thread, parent_id=parent_id, role=Message.Role.USER, text=text)
    thread.head = question
    if not thread.title:
        thread.title = _title(text, files)
    thread.save(update_fields=["head", "title", "updated_at"])
    _seen(thread.owner, now)
    return question


def _title(text: str, files: Collection[object]) -> str:
    return title_of(text) or (gettext("File") if files else gettext("Image"))


def _queue(thread: Thread, version: GPTVersion, person: User, question: Message) -> Run:
    """The run that answers the question, unless another one of the thread is active. Raises TurnRefused."""
    try:
        with transaction.atomic():
            run = Run.objects.create(thread=thread, version=version, person=person, question=question)
    except IntegrityError as error:
        raise TurnRefused("busy", BUSY) from error
    transaction.on_commit(lambda: send(run.pk))
    return run
