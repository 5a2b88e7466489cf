"""The chat page: a new chat, a thread, its messages; the page behind a link."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import MemberRequest, Request
from gptbuilder.conversations import deciding, faces, guests, pages, queueing, sidebar, turns
from gptbuilder.conversations.models.attachment import Attachment
from gptbuilder.conversations.models.feedback import Feedback
from gptbuilder.conversations.models.queued import QueuedMessage
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread, ThreadQuerySet
from gptbuilder.conversations.models.thread_file import ThreadFile
from gptbuilder.conversations.turns import TurnRefused
from gptbuilder.gpts import access, builtin
from gptbuilder.gpts.models import GPT
from gptbuilder.web import paths
from gptbuilder.web import views as web_views
from gptbuilder.web.ready import Ready


@require_safe
def home(request: Request) -> HttpResponse:
    """A new chat for who is signed in, the landing page for everybody else."""
    return _new(request, request.user) if request.user.is_authenticated else web_views.landing(request)


@never_cache
@require_safe
@login_required
def new(request: MemberRequest) -> HttpResponse:
    """A new chat with the default GPT."""
    return _new(request, request.person)


@never_cache
@require_safe
def gpt(request: Request, gpt_id: str) -> HttpResponse:
    """A new chat with a GPT one may use."""
    gpt = _usable(request, gpt_id)
    return _page(request, pages.new_chat(gpt, reverse("conversations:start", args=[gpt.pk]), request.person))


@require_POST
def start(request: Request, gpt_id: str) -> HttpResponse:
    """The first message of a new chat."""
    return _begin(request, _person(request), _usable(request, gpt_id))


@never_cache
@require_safe
def link(request: Request, token: str) -> HttpResponse:
    """What a link leads to. A person who opened it may use the GPT as long as it has that link."""
    gpt = _linked(token)
    if request.person:
        access.remember_visit(gpt, request.person)
    pane = pages.new_chat(gpt, reverse("conversations:link_start", args=[token]), request.person)
    return _page(request, pane, by=gpt.owner.name)


@require_POST
def link_start(request: Request, token: str) -> HttpResponse:
    """The first message of a link's visitor; makes a guest of a stranger."""
    gpt = _linked(token)
    try:
        person = guests.guest_for(request)
    except TurnRefused as refusal:
        return pages.refused(request, refusal, "chat")
    access.remember_visit(gpt, person)
    return _begin(request, person, gpt)


@never_cache
@require_safe
def thread(request: Request, thread_id: str) -> HttpResponse:
    """A chat; for htmx only the conversation, which another tab of this browser changed.

    `?message=` is one that was found: the page opens its branch.
    """
    thread = CHAT.first(_person(request).pk, thread_id)
    if thread is None:
        raise Http404
    pane = pages.chat(thread)
    if request.htmx:
        return render(request, "conversations/_pane.html", {"pane": pane})
    return _page(request, pages.leading_to(pane, wanted) if (wanted := request.GET.get("message")) else pane)


@require_POST
def messages(request: Request, thread_id: str) -> HttpResponse:
    """One more message of a thread. While an answer is being made it waits."""
    thread = get_object_or_404(_threads(request), pk=thread_id)
    text, images, files = request.POST.get("text", ""), request.POST.getlist("image"), request.POST.getlist("file")
    try:
        said = queueing.say(thread, thread.owner, text, timezone.now(), images, files)
    except TurnRefused as refusal:
        return pages.refused(request, refusal, pages.key_of(thread))
    return pages.turn(request, said, thread)


@require_POST
def regeneration(request: Request, thread_id: str) -> HttpResponse:
    """Another answer to the last question; also the answer after a failure."""
    thread = get_object_or_404(_threads(request), pk=thread_id)
    try:
        run = turns.regenerate(thread, thread.owner, timezone.now())
    except TurnRefused as refusal:
        return pages.refused(request, refusal, pages.key_of(thread))
    return render(request, "conversations/_pending.html", pages.answer(run, thread))


@require_POST
def cancellation(request: Request, run_id: str) -> HttpResponse:
    """Stop an answer. The stream tells the page when it has stopped."""
    deciding.stop(get_object_or_404(Run.objects.of(request.person), pk=run_id), timezone.now())
    return HttpResponse(status=204)


@never_cache
@require_safe
def answer(request: Request, run_id: str) -> HttpResponse:
    """The answer as it is now, for a page that lost its stream: finished, or the bubble that waits."""
    runs = Run.objects.of(request.person).select_related(
        "thread__gpt__draft", "thread__gpt__live_version", "version", "answer"
    )
    run = get_object_or_404(runs, pk=run_id)
    return render(request, "conversations/_answer_now.html", faces.ended_context(run))


@never_cache
@require_safe
def older(request: Request, thread_id: str) -> HttpResponse:
    """Chats older than this one, for the end of the sidebar."""
    last = get_object_or_404(Thread.objects.of(request.person), pk=thread_id)
    groups, older_before = sidebar.chats(_person(request), timezone.now(), before=last)
    return render(request, "conversations/_chats.html", {"groups": groups, "older_before": older_before})


def _new(request: Request, person: User) -> HttpResponse:
    gpt = builtin.default_gpt()
    pane = pages.new_chat(gpt, reverse("conversations:start", args=[gpt.pk]), person)
    return _page(request, pane, is_default=True)


def _begin(request: Request, person: User, gpt: GPT) -> HttpResponse:
    """A thread and its first turn, or neither. The page becomes that thread's page."""
    try:
        text, images, files = request.POST.get("text", ""), request.POST.getlist("image"), request.POST.getlist("file")
        run = turns.begin(person, gpt, text, timezone.now(), images=images, files=files)
    except TurnRefused as refusal:
        return pages.refused(request, refusal, "chat")
    if run.question and (images or files):
        faces.furnish([run.question], run.thread)
    shortcut = None if gpt.builtin else sidebar.shortcut(gpt)
    context = {"pane": pages.begun(run), "thread": run.thread, "shortcut": shortcut}
    response = render(request, "conversations/_started.html", context)
    response["HX-Retarget"] = "#pane-chat"
    response["HX-Reswap"] = "outerHTML"
    response["HX-Push-Url"] = paths.path("conversations:thread", run.thread.pk)
    return response


def _page(request: Request, pane: pages.Pane, **more: object) -> HttpResponse:
    return render(request, "conversations/chat.html", {"pane": pane, **_surroundings(request), **more})


def _surroundings(request: Request) -> dict[str, object]:
    """The sidebar, for members: a guest has one chat and a hint."""
    member = request.user.is_authenticated
    return {"sidebar": sidebar.sidebar(_person(request), timezone.now()) if member else None}


def _person(request: Request) -> User:
    if request.person is None:
        raise Http404
    return request.person


def _threads(request: Request) -> ThreadQuerySet:
    return _threads_of(request.person)


def _threads_of(person: User | None) -> ThreadQuerySet:
    return Thread.objects.of(person).select_related("owner", "workspace", "gpt__draft", "gpt__live_version", "head")


def _usable(request: Request, gpt_id: str) -> GPT:
    found = access.usable(gpt_id, request.person)
    if found is None:
        raise Http404
    return found


def _linked(token: str) -> GPT:
    try:
        return access.by_link(token)
    except GPT.DoesNotExist as missing:
        raise Http404 from missing


def _chat(person_id: str, thread_id: str) -> ThreadQuerySet:
    of_it = {"message__thread": OuterRef("pk")}
    chats = _threads_of(User(pk=person_id)).chats().filter(pk=thread_id)
    return chats.annotate(  # type: ignore[no-redef]  # so it is meant
        has_images=Exists(Attachment.objects.filter(**of_it)),
        has_files=Exists(ThreadFile.objects.filter(**of_it)),
        has_opinions=Exists(Feedback.objects.filter(**of_it)),
        has_queued=Exists(QueuedMessage.objects.filter(thread=OuterRef("pk"))),
    )


CHAT = Ready(_chat, str, str)
