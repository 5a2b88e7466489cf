"""Excel, new and old, and OpenDocument sheets, by calamine (Rust): each sheet as one table or several."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator, Mapping, Sequence

from python_calamine import CalamineError, CalamineWorkbook

from gptbuilder.knowledge.reading import attachments, limits, locks, markdown, opendocument
from gptbuilder.knowledge.reading.archives import Archive
from gptbuilder.knowledge.reading.document import Reading, Section, Source, Unreadable

PACKED = {"xlsx": (".xml", ".rels"), "xlsb": (".bin", ".xml", ".rels"), "ods": (".xml", "mimetype")}
Value = str | int | float | bool | datetime.date | datetime.time | datetime.timedelta
MIDNIGHT = datetime.time()


def read(source: Source) -> Reading:
    data, hung = source.data, {}
    if source.kind in PACKED:
        archive = Archive(data)
        if source.kind == "ods":
            opendocument.refuse_encrypted(archive)
        else:
            hung = dict(attachments.by_part(archive))
        data = archive.repacked(PACKED[source.kind])
    elif locks.is_locked(data):
        raise Unreadable("needs_password")
    try:
        return Reading(list(_sheets(CalamineWorkbook.from_filelike(io.BytesIO(data)), hung)))
    except CalamineError as error:
        raise Unreadable("broken", str(error)) from error


def _sheets(workbook: CalamineWorkbook, hung: Mapping[str, Sequence[str]]) -> Iterator[Section]:
    budget = limits.Budget()
    for number, name in enumerate(workbook.sheet_names, 1):
        sheet = workbook.get_sheet_by_name(name)
        if sheet.total_height * sheet.total_width > limits.CELLS:
            raise Unreadable("too_large", f"{sheet.total_height} rows of {sheet.total_width} columns")
        rows = ([shown(value) for value in row] for row in sheet.iter_rows())
        if text := "\n\n".join(map(budget.spend, [*_tables(rows), *hung.get(name, ())])):
            yield Section("sheet", number, name, f"## {name}\n\n{text}")


def _tables(rows: Iterator[Sequence[str]]) -> Iterator[str]:
    """Blocks of rows between empty ones. Single cells above a wider row are its caption."""
    block: list[Sequence[str]] = []
    for row in rows:
        if any(row):
            block.append(row)
        elif block:
            yield from _table(block)
            block = []
    if block:
        yield from _table(block)


def _table(block: Sequence[Sequence[str]]) -> Iterator[str]:
    used = [column for column in range(max(map(len, block))) if any(column < len(row) and row[column] for row in block)]
    first, last = used[0], used[-1] + 1
    rows = [row[first:last] for row in block]
    begin = 0
    if len(used) > 1:
        while begin < len(rows) and sum(map(bool, rows[begin])) == 1:
            begin += 1
    for row in rows[:begin]:
        yield next(filter(None, row))
    if rows[begin:]:
        yield markdown.table(rows[begin:])


def shown(value: Value) -> str:
    """As a person would write it down, for the search: no `.0`, no midnight."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
        case datetime.datetime():
            return value.date().isoformat() if value.time() == MIDNIGHT else value.isoformat(" ")
        case datetime.time():
            return value.isoformat("minutes" if not (value.second or value.microsecond) else "auto")
        case _:
            return str(value)
