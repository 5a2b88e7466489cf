"""Duplicating a GPT, deleting it, and bringing it back."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from gptbuilder.accounts.requests import MemberRequest
from gptbuilder.builder import pages
from gptbuilder.gpts import deleting, duplicating
from gptbuilder.gpts.models import GPT


@require_POST
@login_required
def duplicate(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """A copy of the draft, private, opened at once."""
    copy = duplicating.duplicate(pages.editable(request, gpt_id), request.user)
    return _to(request, reverse("builder:create", args=[copy.pk]))


@require_POST
@login_required
def deletion(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """Delete at once; the next page offers to undo it."""
    gpt = pages.editable(request, gpt_id)
    deleting.delete(gpt, timezone.now())
    undo = reverse("builder:recovery", args=[gpt.pk])
    messages.info(request, _("%(name)s is deleted.") % {"name": gpt.draft}, extra_tags=undo)
    return _to(request, reverse("builder:gpts"))


@require_POST
@login_required
def recovery(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """Bring back what was deleted."""
    gpt = get_object_or_404(GPT.objects.deleted_by(request.person).select_related("draft"), pk=gpt_id)
    deleting.bring_back(gpt)
    messages.success(request, _("%(name)s is back.") % {"name": gpt.draft})
    return _to(request, reverse("builder:gpts"))


def _to(request: MemberRequest, address: str) -> HttpResponse:
    """The whole page goes there, from a plain form and from htmx."""
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
