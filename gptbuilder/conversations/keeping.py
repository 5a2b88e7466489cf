"""What happens to a whole chat: it gets another name, is put away in the archive, deleted and brought back.

Deleting hides a chat at once, everywhere. Its rows go settings.DELETED_CHAT_DAYS later, or when the person says so.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import MemberRequest, Request
from gptbuilder.conversations import deciding, sidebar, thread_files
from gptbuilder.conversations.models.share import Share
from gptbuilder.conversations.models.thread import Thread

TITLE_LENGTH = 120
PURGED_AT_ONCE = 200
LISTED_MOST = 200


def rename(thread: Thread, title: str) -> str:
    """Give the chat this title, on one line and cut to what fits. Nothing changes when nothing is left of it."""
    title = " ".join(title.replace("\x00", "").split())[:TITLE_LENGTH].strip()
    if title:
        Thread.objects.filter(pk=thread.pk).update(title=title)
        thread.title = title
    return title


def archive(thread: Thread, now: datetime) -> None:
    """Out of the sidebar; everything else stays as it is. Safe to call twice."""
    Thread.objects.filter(pk=thread.pk, archived_at=None).update(archived_at=now)


def unarchive(thread: Thread) -> None:
    Thread.objects.filter(pk=thread.pk).update(archived_at=None)


def delete(thread: Thread, now: datetime) -> None:
    """The chat is gone for everybody, its share too, until it is restored. A running answer is stopped.

    The update waits for a turn that is beginning, which locks the row: its run is then found here. A turn that comes
    later finds the thread deleted.
    """
    Thread.objects.filter(pk=thread.pk, deleted_at=None).update(deleted_at=now)
    for run in thread.runs.active():
        deciding.stop(run, now)


def restore(thread: Thread) -> None:
    """Where it was before, as it was."""
    Thread.objects.filter(pk=thread.pk).update(deleted_at=None)


def purge(now: datetime) -> int:
    """Delete the rows of chats that were deleted long enough ago, some at a time; gives their number. What was left of
    their files, and files that were never sent, are erased."""
    gone = Thread.objects.filter(deleted_at__lt=now - timedelta(days=settings.DELETED_CHAT_DAYS))
    number = 0
    while ids := list(gone.values_list("pk", flat=True)[:PURGED_AT_ONCE]):
        Thread.objects.filter(pk__in=ids).delete()
        number += len(ids)
    thread_files.purge(now)
    return number


# --- Addresses -----------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def title(request: Request, thread_id: str) -> HttpResponse:
    """The title alone: a better one may come after the first answer, or the person writes one."""
    thread = get_object_or_404(Thread.objects.of(request.person), pk=thread_id)
    if request.method == "POST" and not rename(thread, request.POST.get("title", "")):
        response = HttpResponse(status=422)
        response["X-Problem"] = quote(_("Give this chat a name."))
        return response
    return HttpResponse(thread.title, content_type="text/plain; charset=utf-8")


@never_cache
@require_safe
@login_required
def menu(request: MemberRequest, thread_id: str) -> HttpResponse:
    """What can be done with a chat, for the menu of its line."""
    thread = get_object_or_404(Thread.objects.of(request.person).chats(), pk=thread_id)
    return render(request, "conversations/_menu_choices.html", {"thread": thread})


@require_http_methods(["POST", "DELETE"])
@login_required
def archived(request: MemberRequest, thread_id: str) -> HttpResponse:
    """Into the archive; DELETE takes it out again."""
    thread = get_object_or_404(Thread.objects.of(request.person).chats(), pk=thread_id)
    if request.method == "DELETE":
        unarchive(thread)
        return _came_back(request, thread)
    archive(thread, timezone.now())
    return _went(request, thread, _("“%(title)s” is archived."), reverse("conversations:archive", args=[thread.pk]))


@require_http_methods(["POST", "DELETE"])
@login_required
def deletion(request: MemberRequest, thread_id: str) -> HttpResponse:
    """Delete a chat; DELETE takes that back."""
    if request.method == "DELETE":
        thread = get_object_or_404(Thread.objects.deleted_by(request.person).chats(), pk=thread_id)
        restore(thread)
        return _came_back(request, thread)
    thread = get_object_or_404(Thread.objects.of(request.person).chats(), pk=thread_id)
    delete(thread, timezone.now())
    return _went(request, thread, _("“%(title)s” is deleted."), reverse("conversations:deletion", args=[thread.pk]))


@require_POST
@login_required
def erasure(request: MemberRequest, thread_id: str) -> HttpResponse:
    """Delete a deleted chat for good, now."""
    get_object_or_404(Thread.objects.deleted_by(request.person), pk=thread_id).delete()
    thread_files.purge(timezone.now())
    return _list(request)


@never_cache
@require_safe
@login_required
def kept(request: MemberRequest) -> HttpResponse:
    """What is not in the sidebar: archived chats, shared ones, and those that can still be brought back."""
    return render(request, "conversations/kept.html", put_away(request.person))


def put_away(person: User) -> dict[str, object]:
    """The context of `conversations/_kept.html`. Three queries."""
    mine = Thread.objects.of(person).chats()
    return {
        "archived": list(mine.exclude(archived_at=None).order_by("-archived_at")[:LISTED_MOST]),
        "shares": list(Share.objects.of(person).select_related("thread")[:LISTED_MOST]),
        "deleted": list(Thread.objects.deleted_by(person).filter(purpose=Thread.Purpose.CHAT)[:LISTED_MOST]),
        "days": settings.DELETED_CHAT_DAYS,
    }


def _went(request: MemberRequest, thread: Thread, sentence: str, undo_url: str) -> HttpResponse:
    """The list without the chat, and a toast that brings it back. When it was open, the page makes room."""
    is_open = thread.pk == _open_id(request)
    undo = {
        "method": "DELETE",
        "url": f"{undo_url}?undo={'open' if is_open else 'line'}",
        "target": f"#{request.htmx.target or 'lists'}",
    }
    text = sentence % {"title": thread.title or _("Chat")}
    events: dict[str, object] = {"toast": {"text": text, "undo": undo}}
    if is_open:
        events["chat-gone"] = {"url": reverse("conversations:new")}
    response = _list(request)
    response["HX-Trigger"] = json.dumps(events)
    return response


def _came_back(request: MemberRequest, thread: Thread) -> HttpResponse:
    """The list with the chat. The undo of what was open opens it again; any other says what happened."""
    response = _list(request)
    undone = request.GET.get("undo")
    if undone == "open":
        response["HX-Redirect"] = reverse("conversations:thread", args=[thread.pk])
    elif not undone:
        text = _("“%(title)s” is back in the list.") % {"title": thread.title or _("Chat")}
        response["HX-Trigger"] = json.dumps({"toast": {"text": text, "kind": "positive"}})
    return response


def _list(request: MemberRequest) -> HttpResponse:
    """The list the person looks at, as it is now: the page of what was put away, or the sidebar's."""
    if not request.htmx:
        return HttpResponseRedirect(reverse("conversations:kept"))
    if request.htmx.target == "kept":
        return render(request, "conversations/_kept.html", put_away(request.person))
    context = {"sidebar": sidebar.sidebar(request.person, timezone.now()), "thread": {"pk": _open_id(request)}}
    return render(request, "conversations/_lists.html", context)


def _open_id(request: MemberRequest) -> str:
    """The chat in the page that asks, by its address."""
    parts = urlsplit(request.htmx.current_url or "").path.split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "c" else ""
