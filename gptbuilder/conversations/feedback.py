"""Thumbs up and down: what a person thinks of an answer, for the operator."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import Request
from gptbuilder.conversations.models.feedback import Feedback
from gptbuilder.conversations.models.message import Message


def give(message: Message, person: User, rating: str, reason: str = "", words: str = "") -> Feedback | None:
    """This person's opinion of an answer, in place of an earlier one. Only a bad one has a reason; an unknown reason
    is none. None when the rating is no rating."""
    if rating not in Feedback.Rating.values:
        return None
    is_down = rating == Feedback.Rating.DOWN
    said = {
        "rating": rating,
        "reason": reason if is_down and reason in Feedback.Reason.values else "",
        "words": words.replace("\x00", "").strip()[: Feedback.WORDS_LENGTH] if is_down else "",
    }
    return Feedback.objects.update_or_create(message=message, person=person, defaults=said)[0]


def take_back(message: Message, person: User) -> None:
    """Safe to call twice."""
    Feedback.objects.filter(message=message, person=person).delete()


@require_http_methods(["GET", "HEAD", "POST", "DELETE"])
def feedback(request: Request, message_id: str) -> HttpResponse:
    """GET: the form for what is wrong with an answer. POST: say what one thinks of it; DELETE takes it back."""
    answers = Message.objects.of(request.person).filter(role=Message.Role.ASSISTANT).select_related("thread__owner")
    message = get_object_or_404(answers, pk=message_id)
    person = message.thread.owner
    if request.method in ("GET", "HEAD"):
        message.opinion = message.feedback.filter(person=person).first()
        return render(
            request, "conversations/_feedback_form.html", {"message": message, "reasons": Feedback.Reason.choices}
        )
    if request.method == "DELETE":
        take_back(message, person)
        message.opinion = None
    else:
        data = request.POST
        message.opinion = give(message, person, data.get("rating", ""), data.get("reason", ""), data.get("words", ""))
        if message.opinion is None:
            return HttpResponse(status=400)
    return render(request, "conversations/_feedback.html", {"message": message, "fresh": True})
