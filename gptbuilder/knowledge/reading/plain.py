"""Text as it is: prose, Markdown, source code, XML, JSON, subtitles; and CSV as a table."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator

from gptbuilder.knowledge.reading import charsets, markdown
from gptbuilder.knowledge.reading.document import Reading, Section, Source, Unreadable

DELIMITERS = ",;\t|"
SAMPLED_ROWS = 50
# A line nobody can read, nor a passage be cut from.
LONG_LINE_CHARACTERS = 2_000
# An entity made of other entities is a bomb; one fetched from elsewhere is a leak.
NESTED_ENTITY = re.compile(r"<!ENTITY\s+(?:%\s+)?\S+\s+(?:\"[^\"]*[&%][^\"]*\"|'[^']*[&%][^']*'|SYSTEM|PUBLIC)", re.I)
XML_CHARSET = re.compile(rb"""\s*<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)["']""")


def read(source: Source) -> Reading:
    declared = XML_CHARSET.match(source.data[:200])
    text = charsets.decoded(source.data, declared[1].decode("ascii") if declared else None)
    match source.kind:
        case "markdown":
            return Reading(list(markdown.sections(text)))
        case "csv":
            return Reading(_sheet(text))
        case "json":
            text = _broken_into_lines(text)
        case "xml" if NESTED_ENTITY.search(text):
            raise Unreadable("not_safe", "nested or external entities")
    return Reading([Section("part", None, "", text.strip("\n"))])


def _broken_into_lines(text: str) -> str:
    """JSON that was written for machines, on one line, with indents."""
    if max(map(len, text.split("\n"))) < LONG_LINE_CHARACTERS:
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    except (ValueError, RecursionError):
        return text


def _sheet(text: str) -> list[Section]:
    csv.field_size_limit(len(text) + 1)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), skipinitialspace=True)
        table = markdown.table(row for row in rows if any(value.strip() for value in row))
    except csv.Error:
        table = text
    return [Section("sheet", 1, "", table)]


def delimiter_of(text: str) -> str:
    """The one that gives most rows the same number of columns; the more columns, the better."""
    beginning = "\n".join(_lines(text))

    def evenness(delimiter: str) -> tuple[float, int]:
        widths = Counter(
            len(row) for row in csv.reader(io.StringIO(beginning), delimiter=delimiter, skipinitialspace=True) if row
        )
        if not widths:
            return 0, 0
        width, rows = max(widths.items(), key=lambda item: (item[1], item[0]))
        return (rows / widths.total() if width > 1 else 0), width

    return max(DELIMITERS, key=evenness)


def _lines(text: str) -> Iterator[str]:
    lines = io.StringIO(text)
    for _ in range(SAMPLED_ROWS):
        if not (line := lines.readline(LONG_LINE_CHARACTERS * 10)):
            return
        yield line.rstrip("\n")
