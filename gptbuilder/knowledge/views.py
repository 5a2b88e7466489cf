"""Uploads over HTTP, after the core of the tus protocol (https://tus.io/protocols/resumable-upload): announce a file,
send its pieces, ask how far it came."""

from __future__ import annotations

import json
from typing import BinaryIO, cast
from urllib.parse import quote

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from gptbuilder.accounts.requests import Request
from gptbuilder.knowledge import uploads
from gptbuilder.knowledge.models import Upload
from gptbuilder.knowledge.uploads import DiskFull, UploadRefused, WrongPlace

OFFSET = "Upload-Offset"


@never_cache
@require_POST
def announced(request: Request) -> HttpResponse:
    """A new upload, from JSON with `name` and `size`: its id, and the address its pieces go to."""
    if request.person is None:
        return HttpResponse(status=404)
    try:
        told = json.loads(request.body)
        name, size_bytes = str(told["name"]), int(told["size"])
    except (ValueError, TypeError, KeyError):
        return HttpResponse(status=400)
    try:
        upload = uploads.begin(request.person, name, size_bytes)
    except UploadRefused as refusal:
        return refused(refusal)
    address = reverse("knowledge:upload", args=[upload.pk])
    return JsonResponse({"id": upload.pk, "url": address}, status=201, headers={"Location": address})


@never_cache
@require_http_methods(["GET", "HEAD", "PATCH", "DELETE"])
def upload(request: Request, upload_id: str) -> HttpResponse:
    """GET, HEAD: how far it came. PATCH: a piece, which begins at Upload-Offset. DELETE: give it up."""
    found = get_object_or_404(Upload.objects.filter(person=request.person), pk=upload_id)
    if request.method == "DELETE":
        found.delete()
        uploads.part_of(found).unlink(missing_ok=True)
        return HttpResponse(status=204)
    if request.method in ("GET", "HEAD"):
        return HttpResponse(headers={OFFSET: str(found.received_bytes), "Upload-Length": str(found.size_bytes)})
    offset = request.headers.get(OFFSET, "")
    if not offset.isascii() or not offset.isdecimal():
        return HttpResponse(status=400)
    try:
        received = uploads.go_on(found, int(offset), cast(BinaryIO, request))
    except WrongPlace as wrong:
        return HttpResponse(status=409, headers={OFFSET: str(wrong.at)})
    except DiskFull as full:
        return refused(full, 507)
    return HttpResponse(status=204, headers={OFFSET: str(received)})


def refused(refusal: UploadRefused, status: int = 422) -> HttpResponse:
    """Why a file is not taken, for the script that sent it."""
    return HttpResponse(status=status, headers={"X-Problem": quote(str(refusal))})
