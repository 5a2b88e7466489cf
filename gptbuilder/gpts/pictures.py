"""Pictures of GPTs: uploaded ones are checked and re-encoded; without one, a figure is drawn from the name."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import BinaryIO

from django.conf import settings
from django.core.files.base import ContentFile
from django.urls import reverse
from PIL import Image, ImageOps

from gptbuilder.gpts.models import GPT, Configuration, Picture
from gptbuilder.web import paths
from gptbuilder.web.images import TOO_LARGE, PictureRefused, upright

SIDE = 512


def receive(gpt: GPT, file: BinaryIO) -> Picture:
    """Store an uploaded or drawn picture, re-encoded: nothing of the original's bytes or metadata is kept.

    The same picture given twice is stored once. Raises PictureRefused.
    """
    data = file.read(settings.PICTURE_MAX_BYTES + 1)
    if len(data) > settings.PICTURE_MAX_BYTES:
        raise PictureRefused(TOO_LARGE)
    encoded = encode(data)
    digest = hashlib.sha256(encoded).hexdigest()
    same = gpt.pictures.filter(sha256=digest).first()
    if same:
        return same
    picture = Picture(gpt=gpt, workspace_id=gpt.workspace_id, sha256=digest)
    picture.file.save(f"{picture.pk}.webp", ContentFile(encoded), save=False)
    picture.save()
    return picture


def copy(picture: Picture, gpt: GPT) -> Picture:
    """The same picture for another GPT, as a file of its own."""
    copied = Picture(gpt=gpt, workspace_id=gpt.workspace_id, sha256=picture.sha256)
    with picture.file.open() as file:
        copied.file.save(f"{copied.pk}.webp", ContentFile(file.read()), save=False)
    copied.save()
    return copied


def encode(data: bytes) -> bytes:
    """Any picture as a square WebP of SIDE pixels, cut to its middle. Raises PictureRefused."""
    square = ImageOps.fit(upright(data), (SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    square.save(buffer, "WEBP", quality=86, method=4)
    return buffer.getvalue()


def url(configuration: Configuration, gpt_id: str) -> str:
    """Where the picture of this configuration is served: the uploaded one or a drawn figure."""
    if configuration.picture_id:
        return paths.path("gpts:picture", gpt_id, configuration.picture_id)
    return reverse("gpts:avatar", args=[seed_of(gpt_id, configuration.name)])


def seed_of(gpt_id: str, name: str) -> str:
    """What a drawn figure is made of: the GPT and the first letter of its name."""
    letter = next((character for character in name.upper() if character.isalnum()), "")
    digest = hashlib.sha256(gpt_id.encode()).hexdigest()[:12]
    return f"{digest}-{ord(letter):x}" if letter else digest


def draw(seed: str) -> str:
    """A figure as SVG, always the same for a seed of `seed_of`: a ground, two shapes, and the letter.

    The hues stand well apart and the letter keeps a contrast of at least 4.5 with what is behind it.
    """
    digest, _, code = seed.partition("-")
    numbers = [int(digest[at : at + 2] or "0", 16) for at in range(0, 12, 2)]
    hue = numbers[0] * 360 // 256
    second = (hue + 40 + numbers[1] * 80 // 256) % 360
    shapes = _SHAPES[numbers[2] % len(_SHAPES)].format(
        turn=numbers[3] * 360 // 256, far=f"hsl({hue} 52% 38%)", near=f"hsl({second} 62% 46%)"
    )
    letter = chr(int(code, 16)) if code else ""
    text = (
        f'<text x="32" y="33" fill="#fff" font-family="system-ui,sans-serif" font-size="27" font-weight="600" '
        f'text-anchor="middle" dominant-baseline="central">{letter}</text>'
        if letter.isalnum()
        else '<circle cx="32" cy="32" r="8" fill="#fff"/>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><defs><clipPath id="c">'
        f'<rect width="64" height="64"/></clipPath></defs><g clip-path="url(#c)">'
        f'<rect width="64" height="64" fill="hsl({hue} 55% 30%)"/>{shapes}</g>{text}</svg>'
    )


_SHAPES = (
    '<g transform="rotate({turn} 32 32)"><circle cx="50" cy="14" r="22" fill="{far}"/>'
    '<circle cx="12" cy="54" r="18" fill="{near}" opacity=".75"/></g>',
    '<g transform="rotate({turn} 32 32)"><path d="M-20 40Q32 8 84 40V100H-20z" fill="{far}"/>'
    '<path d="M-20 54Q32 30 84 54V100H-20z" fill="{near}" opacity=".75"/></g>',
    '<g transform="rotate({turn} 32 32)"><rect x="-20" y="-20" width="52" height="104" fill="{far}"/>'
    '<rect x="32" y="30" width="52" height="60" fill="{near}" opacity=".75"/></g>',
    '<g transform="rotate({turn} 32 32)"><circle cx="32" cy="32" r="27" fill="{far}"/>'
    '<path d="M32 5a27 27 0 0 1 27 27H32z" fill="{near}" opacity=".75"/></g>',
)
