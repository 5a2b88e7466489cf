"""RTF, by striprtf; its rows of cells become tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from striprtf.striprtf import rtf_to_text

from gptbuilder.knowledge.reading import limits, markdown
from gptbuilder.knowledge.reading.document import Reading, Section, Source, Unreadable

# Text boxes and footnotes are text to us; striprtf passes their groups over.
PASSED_OVER = re.compile(r"\{\\shp\{\\\*\\shpinst\b|\\shptxt\b|\{\\\*?\\?footnote\b")
KEPT = {"{\\shp{\\*\\shpinst": "{{", "\\shptxt": "\\par"}
# Pictures are the bulk of a large file, and slow to step through.
PICTURE = re.compile(r"\\pict\b[^{}]*(?:\{[^{}]*\}[^{}]*)*[0-9a-f\s]{512,}(?=\})", re.IGNORECASE)
EIGHT_BIT = re.compile(rb"[\x80-\xff]")


def read(source: Source) -> Reading:
    if len(source.data) > limits.ARCHIVE_BYTES:
        raise Unreadable("too_large", f"{len(source.data)} bytes of RTF")
    # The standard is ASCII; what some programs write beyond it is meant in the code page of the text around it.
    code = EIGHT_BIT.sub(lambda byte: b"\\'%02x" % byte[0][0], source.data.lstrip()).decode("ascii")
    code = PASSED_OVER.sub(lambda found: KEPT.get(found[0], "{ "), PICTURE.sub("", code))
    try:
        text: str = rtf_to_text(code, errors="replace")  # type: ignore[no-untyped-call]
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        raise Unreadable("broken", f"RTF: {error!r}") from error
    return Reading([Section("part", None, "", text)] if (text := "\n".join(_lines(text)).strip()) else [])


def _lines(text: str) -> Iterator[str]:
    rows: list[list[str]] = []
    for line in text.split("\n"):
        if line.endswith("|"):
            rows.append([value.strip() for value in line[:-1].split("|")])
            continue
        if rows:
            yield from ("", markdown.table(rows), "")
            rows = []
        yield line
    if rows:
        yield from ("", markdown.table(rows))
