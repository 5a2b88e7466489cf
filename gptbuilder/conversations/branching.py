"""Branches of a conversation: other words for an earlier message, and moving between what was said in one place.

Both change most of the conversation. The answer is therefore an event, and each page that shows the thread, in the
chat, the builder or its preview, fetches its own conversation anew.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gptbuilder.accounts.requests import Request
from gptbuilder.conversations import faces, pages, turns
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.turns import TurnRefused

CHANGED = "conversation-changed"


@require_POST
def branch(request: Request, message_id: str) -> HttpResponse:
    """Show the branch of this message."""
    message = _message(request, message_id)
    try:
        turns.show_branch(message.thread, message.pk)
    except TurnRefused as refusal:
        return pages.refused(request, refusal, pages.key_of(message.thread))
    return _changed()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edition(request: Request, message_id: str) -> HttpResponse:
    """The form for other words of a message; POST says them."""
    message = _message(request, message_id, role=Message.Role.USER)
    if request.method != "POST":
        return render(request, "conversations/_question_form.html", {"message": message})
    try:
        turns.edit(message, message.thread.owner, request.POST.get("text", ""), timezone.now())
    except TurnRefused as refusal:
        return pages.refused(request, refusal, pages.key_of(message.thread))
    return _changed()


@never_cache
@require_safe
def question(request: Request, message_id: str) -> HttpResponse:
    """A message as it was, when its form is closed."""
    message = _message(request, message_id, role=Message.Role.USER)
    faces.furnish([message], message.thread)
    return render(request, "conversations/_question.html", {"message": message, "fresh": True})


def _message(request: Request, message_id: str, **wanted: object) -> Message:
    messages = Message.objects.of(request.person).filter(**wanted)
    related = ("thread__owner", "thread__workspace", "thread__gpt__draft", "thread__gpt__live_version")
    return get_object_or_404(messages.select_related(*related), pk=message_id)


def _changed() -> HttpResponse:
    response = HttpResponse(status=204)
    response["HX-Trigger"] = CHANGED
    return response
