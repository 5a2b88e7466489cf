"""The files of a draft: uploaded, renamed, replaced, removed, erased, read again, downloaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.files import File
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gptbuilder.accounts.requests import MemberRequest
from gptbuilder.builder import pages
from gptbuilder.gpts import drafts, files
from gptbuilder.gpts.files import Held
from gptbuilder.gpts.models import GPT
from gptbuilder.knowledge import progress, uploads
from gptbuilder.knowledge import views as knowledge_views
from gptbuilder.knowledge.models import Content, KnowledgeFile, Upload
from gptbuilder.knowledge.progress import Progress
from gptbuilder.knowledge.uploads import UploadRefused, WrongPlace
from gptbuilder.lib.sealing import SealingError

QUOTE_WORDS_MOST = 1000
NO_KEY = gettext_lazy("This server has no key to keep a password with. Upload a copy without one.")


@dataclass(frozen=True)
class Line:
    """One file as the form shows it."""

    held: Held
    progress: Progress

    @property
    def content(self) -> Content | None:
        return self.held.file.content if self.held.file else None


def lines(gpt: GPT) -> list[Line]:
    """The files of the draft. One query, none without files."""
    return [Line(held, progress.of(held.file)) for held in files.held(gpt.draft)]


def context(gpt: GPT) -> dict[str, Any]:
    """What `builder/_files.html` needs."""
    found = lines(gpt)
    return {"gpt": gpt, "files": found, "is_moving": any(line.progress.is_moving for line in found)}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def listed(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """GET: the list as it is now. POST: put files into it: finished uploads by their ids, or what a form sends."""
    gpt = pages.editable(request, gpt_id)
    if request.method == "POST":
        try:
            files.add(gpt, _received(request, gpt))
        except UploadRefused as refusal:
            return knowledge_views.refused(refusal)
        if not request.htmx:
            return redirect(reverse("builder:configure", args=[gpt.pk]) + "#knowledge")
    return _list(request, gpt)


@require_http_methods(["POST", "DELETE"])
@login_required
def file(request: MemberRequest, gpt_id: str, file_id: str) -> HttpResponse:
    """POST: another name or way of use. DELETE: off the draft, which can be undone."""
    gpt = pages.editable(request, gpt_id)
    held, at = _held(gpt, file_id)
    if request.method == "DELETE":
        files.remove(gpt, file_id)
        return _list(request, gpt, undo=_undo(gpt, held, at))
    if "name" in request.POST:
        files.rename(gpt, file_id, request.POST["name"])
    if "mode" in request.POST:
        files.set_mode(gpt, file_id, request.POST["mode"])
    return _list(request, gpt)


@require_POST
@login_required
def returned(request: MemberRequest, gpt_id: str, file_id: str) -> HttpResponse:
    """Undo of a removal: the file is where it was."""
    gpt = pages.editable(request, gpt_id)
    at = request.GET.get("at", "0")
    name, mode = uploads.clean_name(request.GET.get("name", "")), request.GET.get("mode", "")
    entry = {"id": file_id, "name": name or "file", "mode": mode if mode == files.FULL else files.SEARCH}
    files.put_back(gpt, entry, int(at) if at.isascii() and at.isdecimal() else 0)
    return _list(request, gpt)


@require_POST
@login_required
def replacement(request: MemberRequest, gpt_id: str, file_id: str) -> HttpResponse:
    """Another file in the place of this one."""
    gpt = pages.editable(request, gpt_id)
    _held(gpt, file_id)
    try:
        received = _received(request, gpt)
    except UploadRefused as refusal:
        return knowledge_views.refused(refusal)
    if received:
        files.replace(gpt, file_id, received[0])
    return _list(request, gpt)


@require_POST
@login_required
def reading(request: MemberRequest, gpt_id: str, file_id: str) -> HttpResponse:
    """Read a file once more, with its password if one is given."""
    gpt = pages.editable(request, gpt_id)
    held, _at = _held(gpt, file_id)
    try:
        if held.file and held.file.content:
            uploads.retry(held.file.content, request.POST.get("password", "")[:200])
    except SealingError:
        return knowledge_views.refused(UploadRefused(NO_KEY))
    return _list(request, gpt)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def erasure(request: MemberRequest, gpt_id: str, file_id: str) -> HttpResponse:
    """GET: what erasing would take away. POST: erase it everywhere, for good."""
    gpt = pages.editable(request, gpt_id)
    held, _at = _held(gpt, file_id)
    if request.method == "POST":
        files.erase(gpt, file_id, timezone.now())
        response = _list(request, gpt)
        text = _("“%(name)s” is erased.") % {"name": held.name}
        response["HX-Trigger"] = json.dumps({"toast": {"text": text, "kind": "positive"}, "draft-changed": {}})
        return response
    told = {"gpt": gpt, "held": held, "versions": files.versions_with(file_id)}
    return render(request, "builder/_erasure.html", told)


@never_cache
@require_safe
@login_required
def download(request: MemberRequest, gpt_id: str, file_id: str) -> FileResponse:
    """The file as it was uploaded, for its owner."""
    held, _at = _held(pages.editable(request, gpt_id), file_id)
    content = held.file.content if held.file else None
    if content is None:
        raise Http404
    try:
        stored = content.file.open("rb")
    except FileNotFoundError as gone:
        raise Http404 from gone
    return FileResponse(stored, as_attachment=True, filename=held.name, content_type="application/octet-stream")


@require_POST
@login_required
def rules(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """Who may see the files, and how much of them an answer may repeat."""
    gpt = pages.editable(request, gpt_id)
    words = request.POST.get("quote_words", "")
    limited = words.isascii() and words.isdecimal() and 0 < int(words) <= QUOTE_WORDS_MOST
    values = {
        "is_confidential": request.POST.get("is_confidential") == "on",
        "quote_words": int(words) if limited else None,
    }
    drafts.apply(gpt.pk, values)
    return _list(request, gpt)


def _list(request: MemberRequest, gpt: GPT, undo: dict[str, Any] | None = None) -> HttpResponse:
    response = render(request, "builder/_files.html", context(pages.editable(request, gpt.pk)))
    events: dict[str, Any] = {"draft-changed": {}} if request.method not in ("GET", "HEAD") else {}
    if undo:
        events["toast"] = undo
    if events:
        response["HX-Trigger"] = json.dumps(events)
    return response


def _undo(gpt: GPT, held: Held, at: int) -> dict[str, Any]:
    entry = urlencode({"at": at, "name": held.name, "mode": held.mode})
    address = f"{reverse('builder:file_return', args=[gpt.pk, held.id])}?{entry}"
    return {
        "text": _("“%(name)s” is removed.") % {"name": held.name},
        "undo": {"method": "POST", "url": address, "target": "#files"},
    }


def _held(gpt: GPT, file_id: str) -> tuple[Held, int]:
    """The file and its place in the draft's list, or 404."""
    for at, held in enumerate(files.held(gpt.draft)):
        if held.id == file_id:
            return held, at
    raise Http404


def _received(request: MemberRequest, gpt: GPT) -> Sequence[KnowledgeFile]:
    """The files of a request. Raises UploadRefused."""
    found = Upload.objects.filter(person=request.person).in_bulk(request.POST.getlist("upload"))
    try:
        finished = [uploads.finish(found[pk]) for pk in request.POST.getlist("upload") if pk in found]
    except WrongPlace as unfinished:
        raise UploadRefused(_("The file is not here as a whole. Upload it again.")) from unfinished
    sent = [
        uploads.receive(gpt.workspace, request.person, str(sent.name), File(sent))
        for sent in request.FILES.getlist("file")
    ]
    return [*finished, *sent]
