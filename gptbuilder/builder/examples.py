"""The gallery of example GPTs: reading them, and making one's own of them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_POST, require_safe

from gptbuilder.accounts.requests import MemberRequest
from gptbuilder.gpts import gallery


@require_safe
@login_required
def examples(request: MemberRequest) -> HttpResponse:
    """The examples in the page's language, or in the one that is asked for."""
    asked = request.GET.get("language", "")
    language = asked if asked in dict(settings.LANGUAGES) else get_language() or settings.LANGUAGE_CODE
    context = {"examples": gallery.examples(language), "language": language, "languages": settings.LANGUAGES}
    return render(request, "builder/examples.html", {**context, "here": "gpts"})


@require_safe
@login_required
def example(request: MemberRequest, slug: str) -> HttpResponse:
    """One example, its instructions readable."""
    return render(request, "builder/example.html", {"example": _example(slug), "here": "gpts"})


@require_POST
@login_required
def adoption(request: MemberRequest, slug: str) -> HttpResponse:
    """A GPT of one's own, made from the example."""
    return redirect("builder:create", gallery.adopt(_example(slug), request.user).pk)


def _example(slug: str) -> gallery.Example:
    found = gallery.example(slug)
    if found is None:
        raise Http404
    return found
