"""Messages that were sent while an answer was being made: they wait in the thread and become turns one by one.

The transaction that ends an answer takes the next message along (recorder.finish), so a worker that dies leaves either
both undone or both done, and of two workers only the one that holds the run does either. After a failure or a stop
they wait until the person sends them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import Request
from gptbuilder.conversations import pages, turns
from gptbuilder.conversations.models.attachment import Attachment
from gptbuilder.conversations.models.queued import QueuedMessage
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.models.thread_file import ThreadFile
from gptbuilder.conversations.turns import TurnRefused
from gptbuilder.web.ready import Ready

FIRST = Ready(lambda thread_id: QueuedMessage.objects.filter(thread=thread_id)[:1], str)

FULL = gettext_lazy("At most five messages can wait. Take one out, or wait for the answer.")
NOTHING_WAITS = gettext_lazy("No message is waiting any more.")


def say(
    thread: Thread, person: User, text: str, now: datetime, images: Iterable[str] = (), files: Iterable[str] = ()
) -> Run | QueuedMessage:
    """A turn, or, while an answer is being made, a message that waits for it. Raises TurnRefused."""
    images, files = list(images), list(files)
    if thread.runs.active().exists() and (queued := _add(thread, person, text, images, files)):
        return queued
    try:
        return turns.start_turn(thread, person, text, now, images, files)
    except TurnRefused as refusal:
        # Somebody was quicker, in another tab.
        if refusal.code == "busy" and (queued := _add(thread, person, text, images, files)):
            return queued
        raise


def advance(thread_id: str, now: datetime) -> Run | None:
    """Make the first message that waits a turn, as its sender may now. None when none waits, or when it is refused:
    then all wait on. Expects a transaction that holds the thread's row."""
    first = FIRST.first(thread_id)
    if first is None:
        return None
    try:
        return _send(first, now)
    except TurnRefused:
        return None


def send_first(thread: Thread, now: datetime) -> Run:
    """The same when the person wants it; the rest follows by itself. Raises TurnRefused."""
    with transaction.atomic():
        Thread.objects.select_for_update().get(pk=thread.pk)
        first = QueuedMessage.objects.filter(thread=thread).first()
        if first is None:
            raise TurnRefused("nothing", NOTHING_WAITS)
        return _send(first, now)


def change(queued: QueuedMessage, text: str) -> bool:
    """Other words for a message that still waits; false when it was sent meanwhile. Raises TurnRefused."""
    text = turns.words(text, [*queued.attachments.all(), *queued.files.all()])
    return bool(QueuedMessage.objects.filter(pk=queued.pk).update(text=text))


def _add(thread: Thread, person: User, text: str, images: list[str], files: list[str]) -> QueuedMessage | None:
    """Put a message at the end of the queue; None when there is no answer to wait for."""
    text = turns.words(text, [*images, *files])
    with transaction.atomic():
        Thread.objects.select_for_update().get(pk=thread.pk)
        if not thread.runs.active().exists():
            return None
        if thread.queued.count() >= QueuedMessage.MOST:
            raise TurnRefused("full", FULL)
        queued = QueuedMessage.objects.create(thread=thread, text=text)
        turns.take(images, person, queued=queued)
        turns.take_files(files, person, queued=queued)
        return queued


def _send(queued: QueuedMessage, now: datetime) -> Run:
    thread = Thread.objects.select_related("owner", "workspace", "gpt__draft", "gpt__live_version").get(
        pk=queued.thread_id
    )
    with transaction.atomic():
        images = list(queued.attachments.values_list("pk", flat=True))
        Attachment.objects.filter(pk__in=images).update(queued=None)
        files = list(queued.files.values_list("pk", flat=True))
        ThreadFile.objects.filter(pk__in=files).update(queued=None, is_sent=False)
        # It was deleted, or sent, since it was read: then it is no turn.
        if not QueuedMessage.objects.filter(pk=queued.pk).delete()[0]:
            raise TurnRefused("nothing", NOTHING_WAITS)
        return turns.start_turn(thread, thread.owner, queued.text, now, images, files)


# --- Addresses -----------------------------------------------------------------------------------


@never_cache
@require_safe
def queue(request: Request, thread_id: str) -> HttpResponse:
    """What waits in a thread."""
    return pages.queue(request, _thread(request, thread_id))


@require_POST
def delivery(request: Request, thread_id: str) -> HttpResponse:
    """Send the first message that waits."""
    thread = _thread(request, thread_id)
    try:
        run = send_first(thread, timezone.now())
    except TurnRefused as refusal:
        return pages.refused(request, refusal, pages.key_of(thread))
    context = {"question": run.question, **pages.answer(run, thread), **pages.queue_context(thread)}
    return render(request, "conversations/_delivered.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST", "DELETE"])
def queued(request: Request, queued_id: str) -> HttpResponse:
    """The form of a message that waits; POST gives it other words, DELETE takes it out."""
    found = QueuedMessage.objects.of(request.person).select_related("thread").filter(pk=queued_id).first()
    if found is None:
        return _sent_already()
    thread = found.thread
    if request.method in ("GET", "HEAD"):
        return render(request, "conversations/_queued_form.html", {"queued": found, "key": pages.key_of(thread)})
    try:
        changed = request.method == "DELETE" or change(found, request.POST.get("text", ""))
    except TurnRefused as refusal:
        return pages.refused(request, refusal, pages.key_of(thread))
    if request.method == "DELETE":
        changed = bool(QueuedMessage.objects.filter(pk=found.pk).delete()[0])
    return pages.queue(request, thread) if changed else _sent_already()


def _sent_already() -> HttpResponse:
    """The usual miss, with a sentence: it was a message of this page a moment ago."""
    response = HttpResponse(status=404)
    response["X-Problem"] = quote(gettext("This message was sent already, or taken out."))
    return response


def _thread(request: Request, thread_id: str) -> Thread:
    threads = Thread.objects.of(request.person).select_related(
        "owner", "workspace", "gpt__draft", "gpt__live_version", "subject__draft", "head"
    )
    return get_object_or_404(threads, pk=thread_id)
