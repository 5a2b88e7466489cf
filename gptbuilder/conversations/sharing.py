"""A read-only link to a conversation: made and ended by its owner, read by anyone who has it.

A reader sees what was said on the shown branch up to the moment of sharing, with its images, the names of files that
came with it or that an answer stands on, and the GPT's name and picture. Neither steps, what is in a file, other
branches nor anything about the owner but the name, if the owner says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import MemberRequest, Request
from gptbuilder.conversations import attachments, citations, exporting, keeping, turns
from gptbuilder.conversations.models.attachment import Attachment, new_attachment_id
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.share import Share
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.models.thread_file import ThreadFile
from gptbuilder.gpts import builtin, pictures
from gptbuilder.gpts.models import GPT


@dataclass(frozen=True)
class SharedImage:
    """An image of a shared conversation, and its number there: a reader learns no other name of it."""

    attachment: Attachment
    number: int


@dataclass(frozen=True)
class Line:
    """One utterance as a reader sees it. An answer has the name of who gave it; `files` are names alone."""

    message: Message
    author: str = ""
    files: Sequence[str] = ()
    images: Sequence[SharedImage] = ()


def publish(thread: Thread, *, names_owner: bool) -> Share:
    """Share the thread as it is now. A share that exists keeps its address and shows the present end."""
    now = {
        "end_id": thread.head_id,
        "version_id": thread.runs.exclude(version=None).order_by("pk").values_list("version", flat=True).last(),
        "title": thread.title,
        "names_owner": names_owner,
        "shared_at": timezone.now(),
    }
    return Share.objects.update_or_create(thread=thread, defaults=now)[0]


def lines(share: Share) -> list[Line]:
    """What a reader sees, oldest first. Four queries."""
    said = share.thread.messages.select_related("run__version").only(
        "thread", "parent", "role", "text", "html", "run__version__name"
    )
    messages = {message.pk: message for message in said}
    files = _file_names(messages)
    shown: list[Line] = []
    at: str | None = share.end_id
    while at in messages:
        message = messages[at]
        version = message.run.version if message.run else share.version
        author = "" if message.is_mine or version is None else version.name
        shown.append(Line(message, author, files.get(message.pk, ())))
        at = message.parent_id
    shown.reverse()
    images: dict[str | None, list[SharedImage]] = {}
    for number, attachment in enumerate(_images(line.message.pk for line in shown), start=1):
        images.setdefault(attachment.message_id, []).append(SharedImage(attachment, number))
    return [replace(line, images=images.get(line.message.pk, ())) for line in shown]


def _images(message_ids: Iterable[str]) -> QuerySet[Attachment]:
    """The images of these messages of one branch in the order in which they were said: ids sort by age."""
    return Attachment.objects.filter(message__in=list(message_ids)).order_by("message_id", "id")


def _file_names(messages: Mapping[str, Message]) -> dict[str, list[str]]:
    """By message: what came with it, or what it stands on."""
    names: dict[str, list[str]] = {}
    for given in ThreadFile.objects.filter(message__in=messages).select_related("file"):
        names.setdefault(str(given.message_id), []).append(given.name)
    answers = {message.run_id: message for message in messages.values() if message.run_id}
    found: dict[str, dict[int, citations.Entry]] = {}
    for step in RunStep.objects.filter(run__in=answers).exclude(data=None).only("run", "data"):
        for number, entry in citations.passages([step]).items():
            found.setdefault(step.run_id, {}).setdefault(number, entry)
    for run_id, entries in found.items():
        names[answers[run_id].pk] = citations.names(entries.values(), answers[run_id].text)
    return names


def continue_chat(share: Share, person: User) -> Thread:
    """The shared conversation as a chat of this person, to go on with: with the same GPT if they may use it,
    else with the default one. Answers keep neither run nor steps of the original."""
    usable = GPT.objects.usable_by(person).filter(pk=share.thread.gpt_id).first()
    with transaction.atomic():
        thread = turns.start_thread(person, usable or builtin.default_gpt())
        version = builtin.live(thread.gpt) if thread.gpt else None
        for line in lines(share):
            message = Message(thread=thread, parent=thread.head, role=line.message.role, text=line.message.text)
            if not message.is_mine:
                message.html = line.message.html
                message.run = Run.objects.create(
                    thread=thread, person=person, version=version, question=thread.head, status=Run.Status.COMPLETED
                )
            message.save(force_insert=True)
            _copy_images(line, message, person)
            thread.head = message
        thread.title = share.title
        thread.save()
    return thread


def _copy_images(line: Line, message: Message, person: User) -> None:
    """The same files under rows of this person: they stay when the shared conversation goes."""
    copies = [shared.attachment for shared in line.images]
    for copy in copies:
        copy.pk, copy.message, copy.person, copy.workspace = (
            new_attachment_id(),
            message,
            person,
            message.thread.workspace,
        )
    Attachment.objects.bulk_create(copies)


# --- The owner's side ----------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST", "DELETE"])
@login_required
def share(request: MemberRequest, thread_id: str) -> HttpResponse:
    """The dialog of sharing. POST shares the chat as it is now, DELETE ends the link for everybody who has it."""
    chats = Thread.objects.of(request.person).chats().exclude(head=None)
    thread = get_object_or_404(chats, pk=thread_id)
    if request.method == "POST":
        publish(thread, names_owner=bool(request.POST.get("names_owner")))
    elif request.method == "DELETE":
        Share.objects.filter(thread=thread).delete()
        if request.htmx.target == "kept":
            return render(request, "conversations/_kept.html", keeping.put_away(request.person))
    found = Share.objects.select_related("thread").filter(thread=thread).first()
    link = settings.BASE_URL + reverse("conversations:shared", args=[found.token]) if found else ""
    return render(request, "conversations/_share.html", {"thread": thread, "share": found, "link": link})


# --- The reader's side ---------------------------------------------------------------------------


@never_cache
@require_safe
def shared(request: Request, token: str) -> HttpResponse:
    """The conversation behind a link, for anyone, and not for search engines."""
    found = _share(token)
    context = {
        "share": found,
        "lines": lines(found),
        "picture": _picture_url(found),
        "by": found.thread.owner.name if found.names_owner else "",
        "may_continue": request.user.is_authenticated,
    }
    response = render(request, "conversations/shared.html", context)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@require_safe
@cache_control(private=True, max_age=300)
def picture(request: Request, token: str) -> HttpResponse:
    """The uploaded picture of the GPT in a shared conversation."""
    version = _share(token).version
    if version is None or version.picture is None:
        raise Http404
    with version.picture.file.open() as file:
        return HttpResponse(file.read(), content_type="image/webp")


@never_cache
@require_safe
def image(request: Request, token: str, number: int) -> HttpResponse:
    """An image of a shared conversation, by its number there. Kept by no cache: it ends with the link."""
    found = _share(token)
    attachment = _images(exporting.shown(found.thread, found.end_id))[number - 1 : number].first() if number else None
    if attachment is None:
        raise Http404
    response = attachments.file_response(attachment)
    response["X-Robots-Tag"] = "noindex"
    return response


@require_POST
@login_required
def continuation(request: MemberRequest, token: str) -> HttpResponse:
    """Go on with a shared conversation in a chat of one's own."""
    thread = continue_chat(_share(token), request.person)
    return HttpResponseRedirect(reverse("conversations:thread", args=[thread.pk]))


def _share(token: str) -> Share:
    return get_object_or_404(Share.objects.readable().select_related("thread__owner", "version__picture"), token=token)


def _picture_url(share: Share) -> str:
    """The drawn figure tells nothing; an uploaded picture is served behind the link only."""
    if share.version is None:
        return ""
    if share.version.picture_id:
        return reverse("conversations:shared_picture", args=[share.token])
    return pictures.url(share.version, share.version.gpt_id)
