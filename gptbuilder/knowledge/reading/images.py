"""Pictures: looked at here, read by OCR if there is one."""

from __future__ import annotations

import io
import warnings

from PIL import Image, UnidentifiedImageError

from gptbuilder.knowledge.reading.document import Reading, Source, Unreadable

PIXELS = 100_000_000
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")


def read(source: Source) -> Reading:
    """No text; one unread page for each picture in the file. Only its header is decoded."""
    opened(source.data)
    return Reading([], unread=[1])


def opened(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unreadable("broken", f"picture: {error}") from error
    if image.width * image.height > PIXELS:
        raise Unreadable("too_large", f"a picture of {image.width} times {image.height}")
    return image
