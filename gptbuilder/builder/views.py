"""My GPTs; the split page: the conversation with the builder and the preview."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import MemberRequest
from gptbuilder.builder import knowledge, pages
from gptbuilder.conversations import pages as conversation_pages
from gptbuilder.conversations import queueing, turns
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.turns import TurnRefused
from gptbuilder.gpts import builtin, drafts
from gptbuilder.gpts.models import GPT, GPTQuerySet
from gptbuilder.web.ready import Ready


def _mine(person_id: str) -> GPTQuerySet:
    return GPT.objects.editable_by(User(pk=person_id)).select_related("draft", "live_version").order_by("-updated_at")


def _deleted(person_id: str) -> GPTQuerySet:
    return GPT.objects.deleted_by(User(pk=person_id)).select_related("draft").order_by("-deleted_at")


MINE, DELETED = Ready(_mine, str), Ready(_deleted, str)


@never_cache
@require_safe
@login_required
def gpts(request: MemberRequest) -> HttpResponse:
    """The GPTs of this person, the last edited first, and those that can be brought back."""
    mine, deleted = MINE.rows(request.person.pk), DELETED.rows(request.person.pk)
    context = {"bars": [pages.bar(gpt) for gpt in mine], "deleted": [pages.Deleted(gpt, gpt.draft) for gpt in deleted]}
    return render(request, "builder/gpts.html", {**context, "here": "gpts"})


@require_POST
@login_required
def new(request: MemberRequest) -> HttpResponse:
    """A new GPT with an empty draft."""
    return redirect("builder:create", drafts.create(request.user).pk)


@never_cache
@require_safe
@login_required
def create(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """The split page with the conversation."""
    gpt = pages.editable(request, gpt_id)
    panes = {"pane": pages.builder_pane(request.person, gpt), "preview": pages.preview_pane(request.person, gpt)}
    context = {"tab": "create", **pages.publishing(request, gpt), **knowledge.context(gpt), **panes}
    return render(request, "builder/create.html", context)


@never_cache
@require_safe
@login_required
def conversation(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """The conversation with the builder alone, after a turn in another tab."""
    gpt = pages.editable(request, gpt_id)
    return render(request, "conversations/_pane.html", {"pane": pages.builder_pane(request.person, gpt)})


@require_POST
@login_required
def messages(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """Say something to the builder."""
    gpt = pages.editable(request, gpt_id)
    thread = pages.builder_thread(request.person, gpt)
    text, images = request.POST.get("text", ""), request.POST.getlist("image")
    try:
        if thread is None:
            builder = builtin.builder_gpt()
            turns.begin(request.person, builder, text, timezone.now(), Thread.Purpose.BUILDER, gpt, images)
            return _first(request, "builder", gpt)
        said = queueing.say(thread, request.person, text, timezone.now(), images)
    except TurnRefused as refusal:
        return conversation_pages.refused(request, refusal, "builder")
    return conversation_pages.turn(request, said, thread)


@never_cache
@require_safe
@login_required
def preview(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """The preview pane."""
    gpt = pages.editable(request, gpt_id)
    context = {"gpt": gpt, "preview": pages.preview_pane(request.person, gpt), **pages.face(request, gpt)}
    return render(request, "builder/_preview.html", context)


@never_cache
@require_safe
@login_required
def preview_conversation(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """The conversation of the preview alone."""
    return _preview_conversation(request, pages.editable(request, gpt_id))


@require_POST
@login_required
def preview_messages(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """Say something to the draft."""
    gpt = pages.editable(request, gpt_id)
    thread = pages.preview_thread(request.person, gpt)
    text, images, files = request.POST.get("text", ""), request.POST.getlist("image"), request.POST.getlist("file")
    try:
        if thread is None or thread.head_id is None:
            purpose = Thread.Purpose.PREVIEW
            turns.begin(request.person, gpt, text, timezone.now(), purpose, images=images, files=files)
            return _first(request, "preview", gpt)
        said = queueing.say(thread, request.person, text, timezone.now(), images, files)
    except TurnRefused as refusal:
        return conversation_pages.refused(request, refusal, "preview")
    return conversation_pages.turn(request, said, thread)


@require_POST
@login_required
def preview_reset(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """A new preview chat."""
    gpt = pages.editable(request, gpt_id)
    turns.start_thread(request.person, gpt, Thread.Purpose.PREVIEW)
    return _preview_conversation(request, gpt)


def _preview_conversation(request: MemberRequest, gpt: GPT) -> HttpResponse:
    context = {"pane": pages.preview_pane(request.person, gpt), **pages.face(request, gpt)}
    return render(request, "conversations/_pane.html", context)


def _first(request: MemberRequest, key: str, gpt: GPT) -> HttpResponse:
    """After the first message there is a thread, which the whole pane has to know."""
    pane = pages.builder_pane(request.person, gpt) if key == "builder" else pages.preview_pane(request.person, gpt)
    response = render(request, "conversations/_pane.html", {"pane": pane, **pages.face(request, gpt)})
    response["HX-Retarget"] = f"#pane-{key}"
    response["HX-Reswap"] = "outerHTML"
    return response
