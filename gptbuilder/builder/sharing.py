"""Publishing, and who may use what is published."""

from __future__ import annotations

import json

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from gptbuilder.accounts.requests import MemberRequest
from gptbuilder.builder import pages
from gptbuilder.builder.forms import AudienceForm, PublicationForm
from gptbuilder.gpts import access, versions
from gptbuilder.gpts.models import GPT


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def publication(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """POST: make the draft the version that others use; the first time also say who they are. GET: what to check
    before."""
    gpt = pages.editable(request, gpt_id)
    if request.method != "POST":
        return render(request, "builder/_publish.html", pages.publishing(request, gpt))
    first = gpt.live_version_id is None
    form = PublicationForm(request.POST, gpt.draft)
    if not form.is_valid():
        return _refused(request, gpt, str(form.non_field_errors()[0]))
    version = versions.publish(gpt, request.user, timezone.now())
    if form.cleaned_data["audience"]:
        access.share(gpt, form.cleaned_data["audience"])
    context = pages.surroundings(request, pages.editable(request, gpt_id))
    if first:
        return render(request, "builder/_published.html", context)
    return _say(
        render(request, "builder/_updated.html", context), _("Version %(number)d is live") % {"number": version.number}
    )


@require_POST
@login_required
def audience(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """Say who may use what is published."""
    gpt = pages.editable(request, gpt_id)
    form = AudienceForm(request.POST)
    if form.is_valid():
        access.share(gpt, form.cleaned_data["audience"])
    return render(
        request, "builder/_share.html", pages.surroundings(request, gpt), status=200 if form.is_valid() else 422
    )


@require_http_methods(["DELETE"])
@login_required
def link(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """End the link for everybody who has it."""
    gpt = pages.editable(request, gpt_id)
    access.revoke_link(gpt)
    response = render(request, "builder/_share.html", pages.surroundings(request, gpt))
    return _say(response, _("The link has ended. Nobody can use it any more."))


def _refused(request: MemberRequest, gpt: GPT, problem: str) -> HttpResponse:
    """In the dialog when it is open, else as a toast."""
    response = render(
        request, "builder/_publish.html", {**pages.publishing(request, gpt), "problem": problem}, status=422
    )
    return response if gpt.live_version_id is None else _say(response, problem, kind="negative")


def _say(response: HttpResponse, text: str, kind: str = "positive") -> HttpResponse:
    response["HX-Trigger"] = json.dumps({"toast": {"text": text, "kind": kind}})
    return response
