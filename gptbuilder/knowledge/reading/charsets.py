"""Bytes into text, whatever charset they are in."""

from __future__ import annotations

import codecs
import re

import chardet

from gptbuilder.knowledge.reading import limits
from gptbuilder.knowledge.reading.document import Unreadable

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SAMPLE_BYTES = 2**17
# ISO 2022 is ASCII to the eye, but for these.
SHIFTS = re.compile(rb"\x1b[$(]")
# Vertical tab, form feed and escape do occur in text.
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
CONTROL_SHARE = 0.01
UNKNOWN_SHARE = 0.05
# Half of the bytes of western text in UTF-16 are zero, all on one side.
ZERO_SHARE = 0.3


def decoded(data: bytes, declared: str | None = None) -> str:
    """The text without byte order mark, lines ended by `\\n`. Bytes that fit nowhere become U+FFFD.

    The order: byte order mark, valid UTF-8, the charset the file itself declares, the most likely one.
    Raises Unreadable("unsupported") where it is not text at all.
    """
    if len(data) > limits.TEXT_BYTES:
        raise Unreadable("too_large", f"{len(data)} bytes of text")
    text = _decoded(data, declared)
    control, unknown = len(CONTROL.findall(text)), text.count("\ufffd")
    if control > CONTROL_SHARE * len(text) or unknown > UNKNOWN_SHARE * len(text):
        raise Unreadable("unsupported", f"not text: {control} control characters, {unknown} undecodable")
    return CONTROL.sub("", text).lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes, declared: str | None) -> str:
    for mark, charset in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(charset, "replace")
    if wide := _wide(data):
        return data.decode(wide, "replace")
    if not SHIFTS.search(data, 0, SAMPLE_BYTES):
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            # One broken letter in a long file does not make it another charset.
            if error.start > SAMPLE_BYTES:
                return data.decode("utf-8", "replace")
    if declared and (text := _strictly(data, declared)) is not None:
        return text
    likely = chardet.detect(_sample(data))["encoding"] or "cp1252"
    return data.decode(likely, "replace")


def _strictly(data: bytes, charset: str) -> str | None:
    try:
        return data.decode(codecs.lookup(charset).name)
    except (LookupError, UnicodeError, ValueError):
        return None


def _wide(data: bytes) -> str | None:
    sample = data[:4096]
    if len(sample) < 4:
        return None
    even, odd = sample[0::2].count(0) / len(sample[0::2]), sample[1::2].count(0) / len(sample[1::2])
    if odd > ZERO_SHARE and even < ZERO_SHARE / 10:
        return "utf-16-le"
    if even > ZERO_SHARE and odd < ZERO_SHARE / 10:
        return "utf-16-be"
    return None


def _sample(data: bytes) -> bytes:
    """Cut where a line ends, for a letter cut in half misleads."""
    if len(data) <= SAMPLE_BYTES:
        return data
    return data[: data.rfind(b"\n", 0, SAMPLE_BYTES) + 1 or SAMPLE_BYTES]
