"""Word and PowerPoint, new and old, by undoc (Rust), whose tree becomes Markdown here.

Emphasis is left out: asterisks within words would hide them from the search.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import undoc

from gptbuilder.knowledge.reading import attachments, markdown
from gptbuilder.knowledge.reading.archives import Archive
from gptbuilder.knowledge.reading.document import Outcome, Reading, Section, Source, Unreadable

Node = Mapping[str, Any]
PACKED = ("docx", "pptx")
WANTED = (".xml", ".rels")
SLIDES = ("ppt", "pptx")
# A merged cell may claim to be a million columns wide.
WIDEST_CELL = 64
DEEPEST = 40
INDENT = 3
OUTCOMES: dict[int, Outcome] = {
    undoc.ErrorKind.ENCRYPTED: "needs_password",
    undoc.ErrorKind.UNSUPPORTED_FORMAT: "unsupported",
}

try:
    # Load the library where this module is loaded, which is before any job begins.
    undoc.version()
    MISSING = ""
except OSError as error:
    # It ships none for Linux on ARM.
    MISSING = str(error)


def read(source: Source) -> Reading:
    if MISSING:
        raise Unreadable("unsupported", f"undoc: {MISSING}")
    archive = Archive(source.data) if source.kind in PACKED else None
    parts = _tree(archive.repacked(WANTED) if archive else source.data)
    if source.kind in SLIDES:
        hung = dict(enumerate((texts for _, texts in attachments.by_part(archive)), 1)) if archive else {}
        slides = enumerate(parts, 1)
        return Reading([part for number, slide in slides for part in _slide(number, slide, hung.get(number, []))])
    text = "\n\n".join(block for part in parts for block in rendered(part["content"]))
    sections = list(markdown.sections(text))
    if margins := "\n\n".join(dict.fromkeys(block for part in parts for block in _margins(part))):
        sections.append(Section("part", None, "", margins))
    return Reading(sections)


def _tree(data: bytes) -> Sequence[Node]:
    try:
        with undoc.parse_bytes(data) as document:
            parts: Sequence[Node] = json.loads(document.to_json(compact=True))["sections"]
            return parts
    except undoc.UndocError as error:
        raise Unreadable(OUTCOMES.get(error.kind, "broken"), str(error)) from error


def _slide(number: int, slide: Node, hung: Sequence[str]) -> Iterator[Section]:
    blocks = [*rendered(slide["content"]), *hung]
    if notes := list(_paragraphs(slide.get("notes") or ())):
        blocks += ["Notes:", *notes]
    if blocks:
        title = next((words(block) for block in slide["content"] if block.get("heading")), "")
        yield Section("slide", number, markdown.shortened(title), "\n\n".join(blocks))


def _margins(part: Node) -> Iterator[str]:
    for name in ("header", "footer"):
        yield from _paragraphs(part.get(name) or ())


def rendered(blocks: Sequence[Node]) -> Iterator[str]:
    """One Markdown text for each block that says something; the items of a list are one block."""
    items: list[str] = []
    for block in blocks:
        if block["type"] == "Paragraph" and block.get("list_info") and not block.get("heading"):
            items.append(_item(block))
            continue
        if items:
            yield "\n".join(items)
            items = []
        yield from filter(None, _block(block))
    if items:
        yield "\n".join(items)


def _block(block: Node) -> Iterator[str]:
    match block["type"]:
        case "Paragraph":
            text = words(block).strip()
            level = str(block.get("heading") or "")
            yield markdown.heading(int(level[1:]), text) if level[1:].isdigit() and text else text
        case "Table":
            yield from _table(block)
        case "Image":
            yield (block.get("alt_text") or "").strip()
        case "Note":
            yield f"[^{block['label']}]: " + " ".join(_paragraphs(block["content"]))


def _item(block: Node) -> str:
    place = block["list_info"]
    marker = f"{place['number']}. " if place.get("number") else "- "
    return " " * INDENT * min(int(place["level"]), DEEPEST) + marker + " ".join(words(block).split())


def _table(table: Node, depth: int = 0) -> Iterator[str]:
    if depth > DEEPEST:
        raise Unreadable("not_safe", f"more than {DEEPEST} tables in one another")
    rows = [row["cells"] for row in table["rows"]]
    if len(rows) == 1 and len(rows[0]) == 1:
        # A frame around text, not a table.
        yield from _cell_blocks(rows[0][0], depth)
        return
    yield markdown.table([text for cell in row for text in _cell(cell, depth)] for row in rows if row)


def _cell(cell: Node, depth: int) -> Iterator[str]:
    yield " ".join(_cell_blocks(cell, depth))
    yield from [""] * (min(int(cell.get("col_span") or 1), WIDEST_CELL) - 1)


def _cell_blocks(cell: Node, depth: int) -> Iterator[str]:
    yield from _paragraphs(cell.get("content") or ())
    for nested in cell.get("nested_tables") or ():
        yield from _table(nested, depth + 1)


def _paragraphs(paragraphs: Sequence[Node]) -> Iterator[str]:
    for paragraph in paragraphs:
        if text := words(paragraph).strip():
            yield text


def words(paragraph: Node) -> str:
    """The text of a paragraph as it stands after all changes, links with their address."""
    parts = []
    for run in paragraph.get("runs") or ():
        if run.get("revision") != "deleted":
            parts.append(_linked(run["text"], run.get("hyperlink") or ""))
        if note := run.get("note"):
            parts.append(f"[^{note}]")
        if run.get("line_break"):
            parts.append("\n")
    parts += [f" {image['alt_text']}" for image in paragraph.get("images") or () if image.get("alt_text")]
    return "".join(parts)


def _linked(text: str, address: str) -> str:
    led_away = address.startswith(("http://", "https://", "mailto:")) and text.strip() not in ("", address)
    return f"[{text}]({address})" if led_away else text
