"""Pictures of GPTs."""

from __future__ import annotations

import re

from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from gptbuilder.accounts.requests import Request
from gptbuilder.gpts import pictures
from gptbuilder.gpts.models import GPT, Picture


@require_GET
@cache_control(private=True, max_age=31_536_000, immutable=True)
def picture(request: Request, gpt_id: str, picture_id: str) -> HttpResponse:
    """A picture of one's own GPT, deleted or not; of another's only the live one, if one may use the GPT or it is
    shared by a link."""
    mine = GPT.objects.filter(pk=OuterRef("gpt"), owner=request.person, builtin=None)
    live = GPT.objects.filter(pk=OuterRef("gpt"), live_version__picture=OuterRef("pk"), deleted_at=None)
    used = GPT.objects.usable_by(request.person).filter(pk=OuterRef("gpt"), live_version__picture=OuterRef("pk"))
    shared = live.filter(audience=GPT.Audience.LINK, owner__is_active=True)
    visible = Picture.objects.filter(Exists(mine) | Exists(used) | Exists(shared))
    found = get_object_or_404(visible, pk=picture_id, gpt=gpt_id)
    with found.file.open() as file:
        return HttpResponse(file.read(), content_type="image/webp")


@require_GET
@cache_control(public=True, max_age=31_536_000, immutable=True)
def avatar(request: HttpRequest, seed: str) -> HttpResponse:
    """The drawn figure of a seed: the same for everybody, tells nothing."""
    if not re.fullmatch(r"[0-9a-f]{12}(-[0-9a-f]{1,5})?", seed):
        raise Http404
    return HttpResponse(pictures.draw(seed), content_type="image/svg+xml")
