"""HTML into Markdown, by html-to-markdown (Rust): everything a reader sees but menus, tables as tables."""

from __future__ import annotations

import re

from html_to_markdown import ConversionOptions, PreprocessingOptions, convert

from gptbuilder.knowledge.reading import charsets, markdown
from gptbuilder.knowledge.reading.document import Reading, Source

CHARSET = re.compile(rb"""<(?:meta|\?xml)\b[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
CHARSET_WITHIN_BYTES = 4096
TITLE = re.compile(r"<title\b[^>]*>(.*?)</title\s*>", re.IGNORECASE | re.DOTALL)
KEPT_LINK = re.compile(r"\]\(\s*<?(?:https?://|mailto:)", re.IGNORECASE)
OPTIONS = ConversionOptions(
    extract_metadata=False,
    autolinks=False,
    compact_tables=True,
    bullets="*",
    capture_svg=False,
    preprocessing=PreprocessingOptions(enabled=True, remove_navigation=True, remove_forms=False),
)


def read(source: Source) -> Reading:
    html = decoded(source.data)
    text = to_markdown(html)
    sections = list(markdown.sections(text))
    return Reading(sections)


def decoded(data: bytes) -> str:
    """By the charset the page itself declares where it is not valid UTF-8."""
    declared = CHARSET.search(data[:CHARSET_WITHIN_BYTES])
    return charsets.decoded(data, declared[1].decode("ascii") if declared else None)


def to_markdown(html: str) -> str:
    """Pictures become their description; links keep an address only where it leads somewhere from here."""
    return markdown.LINK.sub(_link, convert(html, OPTIONS).content or "")


def _link(found: re.Match[str]) -> str:
    if found[0].startswith("!"):
        return found[1]
    return found[0] if KEPT_LINK.search(found[0]) else found[1]
