"""OpenDocument texts and presentations. Spreadsheets go the way of all spreadsheets.

No library reads them well (docs/decisions/0041-reading-files.md), so lxml's tree is walked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lxml import etree

from gptbuilder.knowledge.reading import markdown, structure
from gptbuilder.knowledge.reading.archives import Archive
from gptbuilder.knowledge.reading.document import Reading, Section, Source, Unreadable
from gptbuilder.knowledge.reading.structure import local

TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
XLINK = "{http://www.w3.org/1999/xlink}"
# A cell or a row may say that it stands there a million times.
MOST_REPEATS = 64
MOST_SPACES = 100
DEEPEST = 60
UNSEEN = {"tracked-changes", "sequence-decls", "variable-decls", "user-field-decls", "forms", "annotation-end"}


def read(source: Source) -> Reading:
    archive = Archive(source.data)
    refuse_encrypted(archive)
    root = structure.parsed(archive.read("content.xml"))
    body = root.find("{*}body")
    content = body[0] if body is not None and len(body) else None
    if content is None:
        raise Unreadable("broken", "an OpenDocument without a body")
    if source.kind == "odp":
        return Reading(
            [part for number, page in enumerate(content.iter(DRAW + "page"), 1) for part in _slide(number, page)]
        )
    return Reading(list(markdown.sections("\n\n".join(_blocks(content, 0)))))


def refuse_encrypted(archive: Archive) -> None:
    """Their own encryption is read by no parser here, with a password or without."""
    manifest = archive.find("META-INF/manifest.xml")
    if archive.find("encrypted-package") or (manifest and b"encryption-data" in archive.read(manifest)):
        raise Unreadable("unsupported", "an encrypted OpenDocument")


def _slide(number: int, page: etree._Element) -> Iterator[Section]:
    texts = list(_blocks(page, 0))
    if texts:
        title = next((_title(frame) for frame in page.iter(DRAW + "frame") if _is_title(frame)), "")
        yield Section("slide", number, markdown.shortened(title), "\n\n".join(texts))


def _is_title(frame: etree._Element) -> bool:
    return any(name.endswith("}class") and value == "title" for name, value in frame.attrib.items())


def _title(frame: etree._Element) -> str:
    return " ".join(_blocks(frame, 0))


def _blocks(parent: Iterable[etree._Element], depth: int) -> Iterator[str]:
    """One Markdown text for each block that says something."""
    if depth > DEEPEST:
        raise Unreadable("not_safe", f"more than {DEEPEST} levels")
    for element in parent:
        yield from filter(None, _block(element, depth + 1))


def _block(element: etree._Element, depth: int) -> Iterator[str]:
    match local(element):
        case "h":
            text = "".join(_words(element, depth))
            yield markdown.heading(_number(element.get(TEXT + "outline-level"), 1, 6), text) if text.strip() else ""
            yield from _aside(element, depth)
        case "p":
            yield "".join(_words(element, depth)).strip()
            yield from _aside(element, depth)
        case "list":
            yield "\n".join(_items(element, depth))
        case "table":
            yield markdown.table(_rows(element, depth))
        case "notes":
            yield "Notes: " + notes if (notes := "\n\n".join(_blocks(element, depth))) else ""
        case name if name not in UNSEEN:
            yield from _blocks(element, depth)


def _items(element: etree._Element, depth: int) -> Iterator[str]:
    for item in element:
        inner = list(_blocks(item, depth))
        if inner:
            yield "- " + markdown.indented("\n".join(inner), 2)


def _rows(element: etree._Element, depth: int) -> Iterator[list[str]]:
    for row in element.iter(TABLE + "table-row"):
        if next(row.iterancestors(TABLE + "table")) is not element:
            continue
        cells = [text for cell in row for text in _cell(cell, depth)]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield cells


def _cell(cell: etree._Element, depth: int) -> Iterator[str]:
    """Cells that are covered by a merged one are in the row, too, and empty."""
    text = " ".join(_blocks(cell, depth))
    yield from [text] * _number(cell.get(TABLE + "number-columns-repeated"), 1, MOST_REPEATS)


def _words(element: etree._Element, depth: int) -> Iterator[str]:
    """The text of a paragraph. Boxes and comments within come after it, by `_aside`."""
    if depth > DEEPEST:
        raise Unreadable("not_safe", f"more than {DEEPEST} levels")
    yield element.text or ""
    for child in element:
        match local(child):
            case "s":
                yield " " * _number(child.get(TEXT + "c"), 1, MOST_SPACES)
            case "tab":
                yield "\t"
            case "line-break":
                yield "\n"
            case "a":
                yield _link("".join(_words(child, depth + 1)), child.get(XLINK + "href") or "")
            case "note":
                yield f"[^{structure.words(child.find(TEXT + 'note-citation'))}]"
            case "frame" | "custom-shape" | "annotation" | "annotation-end":
                pass
            case _:
                yield from _words(child, depth + 1)
        yield child.tail or ""


def _link(text: str, address: str) -> str:
    return (
        f"[{text}]({address})" if address.startswith(("http://", "https://", "mailto:")) and text != address else text
    )


def _aside(paragraph: etree._Element, depth: int) -> Iterator[str]:
    """Notes, comments, text boxes and descriptions of pictures that hang on a paragraph."""
    for child in paragraph.iter("{*}note", "{*}annotation", "{*}text-box", "{*}custom-shape", "{*}desc"):
        if next(child.iterancestors(TEXT + "p", TEXT + "h"), None) is not paragraph:
            continue
        match local(child):
            case "note":
                body = child.find(TEXT + "note-body")
                text = " ".join(_blocks(body, depth)) if body is not None else ""
                yield f"[^{structure.words(child.find(TEXT + 'note-citation'))}]: {text}"
            case "annotation":
                author = structure.words(child.find("{http://purl.org/dc/elements/1.1/}creator"))
                yield f"Comment ({author}): " + " ".join(_blocks(child.iter(TEXT + "p"), depth))
            case "desc":
                yield structure.words(child)
            case _:
                yield from _blocks(child, depth)


def _number(value: str | None, least: int, most: int) -> int:
    return (
        min(max(int(value), least), most)
        if value and value.isascii() and value.isdigit() and len(value) < 10
        else least
    )
