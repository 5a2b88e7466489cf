"""Files that go with a message: uploaded while it is written, searchable in that conversation from then on, erased with
it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import Request
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.thread_file import ThreadFile, ThreadFileQuerySet
from gptbuilder.conversations.turns import limit_sentence
from gptbuilder.knowledge import erasing, uploads
from gptbuilder.knowledge.models import KnowledgeFile, Upload
from gptbuilder.knowledge.uploads import UploadRefused, WrongPlace
from gptbuilder.usage import limits
from gptbuilder.web.ready import Ready
from gptbuilder.workspaces.models import Workspace

UNSENT_FOR = timedelta(days=1)

TOO_LARGE = gettext_lazy("“%(name)s” is larger than %(most)s, the most a file may have here.")
NO_FILE = gettext_lazy("No file arrived. Try again.")
SIGN_IN = gettext_lazy("Sign in to add files.")


def receive(person: User, file: UploadedFile | Upload, now: datetime) -> ThreadFile:
    """Take a file as this person's, not sent yet, and begin to read it: one that came in one piece, or an upload that
    is whole. Raises UploadRefused, LimitReached and WrongPlace."""
    allowed, most_bytes = _limits(person)
    if not allowed:
        raise UploadRefused(SIGN_IN)
    limits.count(f"files:{person.pk}", allowed, timedelta(hours=1), now)
    name, size_bytes = (file.name, file.size_bytes) if isinstance(file, Upload) else (file.name or "", file.size or 0)
    if size_bytes > most_bytes:
        raise UploadRefused(TOO_LARGE % {"name": uploads.clean_name(name), "most": filesizeformat(most_bytes)})
    with transaction.atomic():
        if isinstance(file, Upload):
            received = uploads.finish(file)
        else:
            received = uploads.receive(Workspace.objects.personal(person), person, name, file)
        return ThreadFile.objects.create(person=person, file=received)


def may_attach(person: User | None) -> bool:
    return person is not None and _limits(person)[0] > 0


def of_path(path: Sequence[Message]) -> list[ThreadFile]:
    """The files of this branch, oldest first, each file once. One query."""
    mine = [message.pk for message in path if message.is_mine]
    rows = OF_FIRST.rows(mine[0]) if len(mine) == 1 else _with_content().filter(message__in=mine)
    return list({row.file_id: row for row in rows}.values())


def _with_content() -> QuerySet[ThreadFile]:
    return ThreadFile.objects.select_related("file__content").order_by("message_id", "pk")


OF_FIRST = Ready(lambda message_id: _with_content().filter(message=message_id), str)


def remove(thread_file: ThreadFile) -> None:
    """Forget a file that was not sent. One that was sent meanwhile stays."""
    with transaction.atomic():
        if ThreadFile.objects.unsent().filter(pk=thread_file.pk).delete()[0]:
            _erase_unused([thread_file.file_id])


def purge(now: datetime) -> int:
    """Erase the files of messages that have gone, and those that nobody sent within UNSENT_FOR; gives their number."""
    late = ThreadFile.objects.unsent().filter(created_at__lt=now - UNSENT_FOR)
    with transaction.atomic():
        rows = list((ThreadFile.objects.left() | late).select_for_update().values_list("pk", "file_id"))
        ThreadFile.objects.filter(pk__in=[pk for pk, _file in rows]).delete()
        return _erase_unused(file for _pk, file in rows)


def listed(file_ids: Iterable[str]) -> set[str]:
    """Those of the files that a conversation has: they are kept (settings.FILE_HOLDERS)."""
    return set(ThreadFile.objects.filter(file__in=list(file_ids)).values_list("file_id", flat=True))


def _erase_unused(file_ids: Iterable[str]) -> int:
    """Nobody but the conversation knows of them: no tombstone is left either. Within a transaction."""
    wanted = set(file_ids)
    unused = KnowledgeFile.objects.filter(pk__in=wanted - listed(wanted))
    erasing.erase(unused, timezone.now())
    return unused.delete()[1].get("knowledge.KnowledgeFile", 0)


def _limits(person: User) -> tuple[int, int]:
    """How many files an hour, and how large each may be."""
    if person.is_guest:
        return settings.GUEST_FILES_PER_HOUR, settings.GUEST_FILE_MAX_BYTES
    return settings.CHAT_FILES_PER_HOUR, settings.CHAT_FILE_MAX_BYTES


# --- Addresses -----------------------------------------------------------------------------------


@require_POST
def files(request: Request) -> HttpResponse:
    """Receive one file, or the id of an upload that is whole; gives its line for the composer. For who has an account
    or a guest's session."""
    if request.person is None:
        raise Http404
    file: UploadedFile | Upload | None = request.FILES.get("file")
    if upload_id := request.POST.get("upload"):
        file = get_object_or_404(Upload.objects.filter(person=request.person), pk=upload_id)
    try:
        if file is None:
            raise UploadRefused(NO_FILE)
        received = receive(request.person, file, timezone.now())
    except WrongPlace:
        return _refused(str(NO_FILE), 409)
    except UploadRefused as refusal:
        return _refused(str(refusal), 422)
    except limits.LimitReached as reached:
        return _refused(limit_sentence(reached), 429)
    return render(request, "conversations/_file.html", {"file": received}, status=201)


@never_cache
@require_http_methods(["GET", "HEAD", "DELETE"])
def file(request: Request, thread_file_id: str) -> HttpResponse:
    """The line of a file as it is now; DELETE takes it out of a message that was not sent."""
    mine = _mine(request)
    if request.method == "DELETE":
        remove(get_object_or_404(mine.unsent(), pk=thread_file_id))
        return HttpResponse(status=204)
    found = get_object_or_404(mine.select_related("file__content"), pk=thread_file_id)
    return render(request, "conversations/_file.html", {"file": found})


def _mine(request: Request) -> ThreadFileQuerySet:
    return ThreadFile.objects.of(request.person)


def _refused(sentence: str, status: int) -> HttpResponse:
    response = HttpResponse(status=status)
    response["X-Problem"] = quote(sentence)
    return response
