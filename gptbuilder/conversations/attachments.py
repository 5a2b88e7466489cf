"""Images that go with a message: uploaded while it is written, made anew as JPEG, shown to who may see the thread,
and given to a model that can see.

JPEG because every model's server reads it. Nothing of the uploaded bytes is kept, so neither is what a camera adds.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import IO
from urllib.parse import quote

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import Request
from gptbuilder.conversations.models.attachment import Attachment
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.turns import limit_sentence
from gptbuilder.gateway.types import Image
from gptbuilder.usage import limits
from gptbuilder.web import images
from gptbuilder.web.images import PictureRefused
from gptbuilder.workspaces.models import Workspace

log = logging.getLogger(__name__)

SIDE = 2048
IMAGES_PER_HOUR = 120
# What a model gets of a conversation: the latest images, together at most so many bytes.
GIVEN_MOST = 6
GIVEN_BYTES = 8 * 1024 * 1024
UNSENT_FOR = timedelta(days=1)
# A file is stored a moment before its row.
YOUNG = timedelta(hours=1)
FOLDER = "attachments"


def receive(person: User, file: IO[bytes], now: datetime) -> Attachment:
    """Store an uploaded image as this person's, not sent yet. Raises PictureRefused and LimitReached."""
    limits.count(f"images:{person.pk}", IMAGES_PER_HOUR, timedelta(hours=1), now)
    data = file.read(settings.PICTURE_MAX_BYTES + 1)
    if len(data) > settings.PICTURE_MAX_BYTES:
        raise PictureRefused(images.TOO_LARGE)
    encoded, width, height = images.as_jpeg(images.upright(data, SIDE), SIDE)
    attachment = Attachment(
        workspace=Workspace.objects.personal(person),
        person=person,
        sha256=hashlib.sha256(encoded).hexdigest(),
        width=width,
        height=height,
        size_bytes=len(encoded),
    )
    attachment.file.save("image.jpg", ContentFile(encoded), save=False)
    attachment.save()
    return attachment


def for_model(path: Sequence[Message]) -> dict[str, tuple[Image, ...]]:
    """The latest images of this branch as a model gets them, by message: GIVEN_MOST, within GIVEN_BYTES. One query."""
    latest = Attachment.objects.filter(message__in=[message.pk for message in path if message.is_mine])
    given: dict[str, tuple[Image, ...]] = {}
    room = GIVEN_BYTES
    for attachment in latest.order_by("-message_id", "-id")[:GIVEN_MOST]:
        room -= attachment.size_bytes
        if room < 0:
            break
        if attachment.message_id and (image := _image(attachment)):
            given[attachment.message_id] = (image, *given.get(attachment.message_id, ()))
    return given


def remove(attachment: Attachment) -> None:
    """Forget an image that was not sent. One that was sent meanwhile stays."""
    if Attachment.objects.unsent().filter(pk=attachment.pk).delete()[0]:
        default_storage.delete(attachment.file.name)


def purge(now: datetime) -> int:
    """Forget images that nobody sent within UNSENT_FOR, and files whose row has gone with its message or its person.
    Gives the number of files deleted."""
    Attachment.objects.unsent().filter(created_at__lt=now - UNSENT_FOR).delete()
    return sum(_sweep(day, now) for day in _days())


def _sweep(day: str, now: datetime) -> int:
    folder = f"{FOLDER}/{day}"
    names = [f"{folder}/{name}" for name in default_storage.listdir(folder)[1]]
    known = set(Attachment.objects.filter(file__in=names).values_list("file", flat=True))
    lost = [name for name in names if name not in known and default_storage.get_modified_time(name) < now - YOUNG]
    for name in lost:
        default_storage.delete(name)
    return len(lost)


def _days() -> list[str]:
    try:
        return default_storage.listdir(FOLDER)[0]
    except FileNotFoundError:
        return []


def _image(attachment: Attachment) -> Image | None:
    try:
        with attachment.file.open() as file:
            return Image("image/jpeg", file.read())
    except FileNotFoundError:
        log.warning("an image has no file", extra={"attachment": attachment.pk})
        return None


# --- Addresses -----------------------------------------------------------------------------------


@require_POST
def uploads(request: Request) -> HttpResponse:
    """Receive one image; gives its thumbnail for the composer. For who has an account or a guest's session."""
    file = request.FILES.get("image")
    if request.person is None:
        raise Http404
    try:
        if file is None or file.file is None:
            raise PictureRefused(images.UNREADABLE)
        attachment = receive(request.person, file.file, timezone.now())
    except PictureRefused as refusal:
        return _refused(str(refusal), 422)
    except limits.LimitReached as reached:
        return _refused(limit_sentence(reached), 429)
    return render(request, "conversations/_attached.html", {"image": attachment}, status=201)


@require_safe
@cache_control(private=True, max_age=31_536_000, immutable=True)
def image(request: Request, attachment_id: str) -> HttpResponse:
    """The image, to who may see where it stands."""
    return file_response(get_object_or_404(Attachment.objects.of(request.person), pk=attachment_id))


def file_response(attachment: Attachment) -> HttpResponse:
    """The image itself. Raises Http404 when its file is missing."""
    try:
        with attachment.file.open() as file:
            return HttpResponse(file.read(), content_type="image/jpeg")
    except FileNotFoundError as missing:
        raise Http404 from missing


@require_http_methods(["DELETE"])
def upload(request: Request, attachment_id: str) -> HttpResponse:
    """Take an image out of a message that was not sent."""
    remove(get_object_or_404(Attachment.objects.of(request.person).unsent(), pk=attachment_id))
    return HttpResponse(status=204)


def _refused(sentence: str, status: int) -> HttpResponse:
    response = HttpResponse(status=status)
    response["X-Problem"] = quote(sentence)
    return response
