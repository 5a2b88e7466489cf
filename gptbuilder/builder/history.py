"""The history of a GPT: its versions, what they changed, bringing one back, taking a turn of the builder back."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gptbuilder.accounts.requests import MemberRequest
from gptbuilder.builder import diffs, pages, reverting
from gptbuilder.conversations.models.run import Run
from gptbuilder.gpts import files
from gptbuilder.gpts import versions as gpt_versions
from gptbuilder.gpts.models import GPT, GPTVersion


@never_cache
@require_safe
@login_required
def versions(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """The history menu."""
    return render(request, "builder/_versions.html", _history(pages.editable(request, gpt_id)))


@never_cache
@require_safe
@login_required
def comparison(request: MemberRequest, gpt_id: str, version_id: str) -> HttpResponse:
    """What a version changed; with `?with=draft`, what the draft would change in it."""
    gpt = pages.editable(request, gpt_id)
    version = _version(gpt, version_id)
    with_draft = request.GET.get("with") == "draft"
    before = version if with_draft else _before(version)
    after = gpt.draft if with_draft else version
    context = {
        "gpt": gpt,
        "bar": pages.bar(gpt),
        "version": version,
        "before": before,
        "with_draft": with_draft,
        "is_draft": version.digest_sha256 == gpt.draft.digest(),
        "fields": diffs.between(before.configuration() if before else None, after.configuration()),
    }
    return render(request, "builder/comparison.html", context)


@require_POST
@login_required
def restoration(request: MemberRequest, gpt_id: str, version_id: str) -> HttpResponse:
    """Bring the draft back to a version. What others use stays until it is published."""
    gpt = pages.editable(request, gpt_id)
    version = _version(gpt, version_id)
    gpt_versions.restore(version)
    said = _("The draft is version %(number)d again.") % {"number": version.number}
    if missing := files.missing(version):
        said += " " + _("Erased since, so not in it: %(names)s.") % {"names": diffs.listed(missing)}
    if not request.htmx:
        messages.success(request, said)
        return redirect("builder:configure", gpt.pk)
    gpt = pages.editable(request, gpt_id)
    response = render(request, "builder/_restored.html", {**_history(gpt), **pages.surroundings(request, gpt)})
    response["HX-Trigger"] = json.dumps({"toast": {"text": said, "kind": "positive"}, "draft-restored": True})
    return response


@require_http_methods(["POST", "DELETE"])
@login_required
def reversal(request: MemberRequest, gpt_id: str, run_id: str) -> HttpResponse:
    """POST: take back what this turn of the builder wrote; DELETE: write it again."""
    gpt = pages.editable(request, gpt_id)
    runs = Run.objects.of(request.person).filter(thread__subject=gpt).select_related("thread")
    run = get_object_or_404(runs.prefetch_related("steps"), pk=run_id)
    undone = request.method == "POST"
    reverted = reverting.undo(run) if undone else reverting.redo(run)
    toast: dict[str, Any] = {"text": reverting.sentence(reverted, undone=undone)}
    if reverted.fields:
        back = {"method": "DELETE" if undone else "POST", "url": request.path, "target": f"#changes-{run.pk}"}
        toast |= {"kind": "positive", "undo": back}
    response = render(request, "builder/_changes.html", {"run": run, "opened": True})
    response["HX-Trigger"] = json.dumps({"toast": toast, "draft-changed": True})
    return response


def _history(gpt: GPT) -> dict[str, Any]:
    return {
        "gpt": gpt,
        "bar": pages.bar(gpt),
        "unpublished": pages.unpublished(gpt),
        "versions": pages.history(gpt),
    }


def _version(gpt: GPT, version_id: str) -> GPTVersion:
    """A published version of this GPT, or 404."""
    found: GPTVersion = get_object_or_404(gpt.versions.exclude(number=None), pk=version_id)
    return found


def _before(version: GPTVersion) -> GPTVersion | None:
    """The version that was published before this one."""
    return GPTVersion.objects.filter(gpt=version.gpt_id, number__lt=version.number).order_by("-number").first()
