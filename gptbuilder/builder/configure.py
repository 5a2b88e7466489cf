"""The Configure form: it saves itself, field by field."""

from __future__ import annotations

from typing import BinaryIO, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from gptbuilder.accounts.requests import MemberRequest
from gptbuilder.builder import knowledge, pages
from gptbuilder.builder.forms import DraftForm
from gptbuilder.gpts import drafts, pictures
from gptbuilder.gpts.models import Draft
from gptbuilder.web.images import PictureRefused


@never_cache
@require_safe
@login_required
def configure(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """The split page with the form; for htmx only the form, after the draft changed elsewhere."""
    gpt = pages.editable(request, gpt_id)
    if request.htmx:
        context = {**pages.surroundings(request, gpt), **knowledge.context(gpt)}
        return render(request, "builder/_configure.html", context)
    context = {
        "tab": "configure",
        **pages.publishing(request, gpt),
        **knowledge.context(gpt),
        "preview": pages.preview_pane(request.person, gpt),
    }
    return render(request, "builder/configure.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def draft(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """POST: write the fields that were sent; those that are wrong come back with a sentence, the others are saved.
    GET: the parts of the page that show the draft."""
    gpt = pages.editable(request, gpt_id)
    if request.method != "POST":
        return pages.draft_changed(request, gpt)
    form = DraftForm(request.POST)
    drafts.apply(gpt.pk, form.values())
    status = 200 if form.is_valid() else 422
    return pages.draft_changed(request, pages.editable(request, gpt_id), status, problems=form.problems())


@require_http_methods(["POST", "DELETE"])
@login_required
def lock(request: MemberRequest, gpt_id: str, field: str) -> HttpResponse:
    """POST: keep the builder from changing this field; DELETE: let it."""
    gpt = pages.editable(request, gpt_id)
    if field not in Draft.LOCKABLE:
        raise Http404
    (drafts.lock if request.method == "POST" else drafts.unlock)(gpt.pk, field)
    gpt.draft.refresh_from_db()
    return render(request, "builder/_lock.html", {"gpt": gpt, "bar": pages.bar(gpt), "field": field})


@require_http_methods(["POST", "DELETE"])
@login_required
def picture(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """Take a picture of the person's own, or go back to the drawn one."""
    gpt = pages.editable(request, gpt_id)
    problem = ""
    try:
        uploaded = request.FILES.get("picture") if request.method == "POST" else None
        if uploaded or request.method == "DELETE":
            chosen = pictures.receive(gpt, cast("BinaryIO", uploaded)).pk if uploaded else None
            drafts.apply(gpt.pk, {"picture_id": chosen})
    except PictureRefused as refusal:
        problem = str(refusal)
    gpt = pages.editable(request, gpt_id)
    context = {**pages.surroundings(request, gpt), "problem": problem}
    return render(request, "builder/_picture_changed.html", context, status=422 if problem else 200)
