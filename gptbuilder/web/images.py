"""Pictures that people upload: read with care, and never stored as they came."""

from __future__ import annotations

import warnings
from io import BytesIO

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

PIXELS_MOST = 50_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


class PictureRefused(Exception):
    """The file is no picture that can be used, and why, in the person's language."""

    def __init__(self, sentence: str | Promise) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


TOO_LARGE = _("This picture is too large: at most 10 MB and 50 megapixels.")
UNREADABLE = _("This file cannot be read as a picture. Use PNG, JPEG, WebP or GIF.")


def upright(data: bytes, side: int = 0) -> Image.Image:
    """The picture's pixels (RGBA, the first frame), turned as its camera was held. With `side`, a photograph is read
    no larger than needed for that many pixels each way. Raises PictureRefused."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of a decompression bomb before it refuses one; the size is checked below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=FORMATS)
            if image.width * image.height > PIXELS_MOST:
                raise PictureRefused(TOO_LARGE)
            if side:
                image.draft(None, (side, side))
            return ImageOps.exif_transpose(image).convert("RGBA")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise PictureRefused(UNREADABLE) from error


def as_jpeg(image: Image.Image, side: int) -> tuple[bytes, int, int]:
    """Within so many pixels each way, on white, without anything that was not seen; and its width and height."""
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    flat.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    flat.save(buffer, "JPEG", quality=86, optimize=True)
    return buffer.getvalue(), flat.width, flat.height
