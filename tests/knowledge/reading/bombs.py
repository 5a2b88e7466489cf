"""Files that are small to keep and overwhelming to open."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

from tests.knowledge.reading import samples
from tests.knowledge.reading.samples import stream

MEGABYTE = 2**20
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in zip("abcdefghi", "bcdefghij", strict=True)
) + "]>"  # fmt: skip


def zip_bomb() -> bytes:
    return samples.docx("", **{"word/comments.xml": b" " * (250 * MEGABYTE)})


def zip_of_many() -> bytes:
    return samples.docx("", **{f"word/{number}.xml": b"<x/>" for number in range(5000)})


def flate_bomb() -> bytes:
    """Packed twice, so that four kilobytes are two gigabytes."""
    packer = zlib.compressobj(9)
    zeros = bytes(MEGABYTE)
    once = b"".join([*(packer.compress(zeros) for _ in range(2_000)), packer.flush()])
    return samples.assembled(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R>>",
            stream(zlib.compress(once, 9), "/Filter[/FlateDecode/FlateDecode]"),
        ]
    )


def nested_forms() -> bytes:
    """Each form shows the next one ten times, and the last of ten shows a word."""
    depth, first = 10, 6
    forms = []
    for level in range(depth):
        follows = f"/Resources<</XObject<</N {first + level + 1} 0 R>>/Font<</F 3 0 R>>>>"
        content = b"/N Do " * 10 if level < depth - 1 else samples.shown("ha")
        forms.append(stream(content, f"/Type/XObject/Subtype/Form/BBox[0 0 300 200]{follows}"))
    return samples.pdf(b"/N Do " * 10, resources=f"/XObject<</N {first} 0 R>>", objects=forms)


def picture_bomb() -> bytes:
    """A PNG that says it has four billion points."""
    made = samples.picture()
    return made[:16] + (65_535).to_bytes(4, "big") * 2 + made[24:]


def laughing_document() -> bytes:
    body = f'{LAUGHS}<w:document xmlns:w="{samples.WORD}"><w:body>{samples.word("&j;")}</w:body></w:document>'
    return samples.docx("", **{"word/document.xml": body})


def far_cell() -> bytes:
    return samples.xlsx(("S", samples.row(1, A="here") + samples.row(1_048_576, XFD="there")))


def wide_row() -> bytes:
    cell = '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="1048576"/>'
    row = f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>'
    return samples.open_document("spreadsheet", f'<table:table table:name="S">{row}</table:table>')


def endless_style() -> bytes:
    return b"{\\rtf1" + b"{\\field{\\*\\fldinst HYPERLINK " * 60_000 + b"}"


MADE: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "zip": ("a.docx", zip_bomb),
    "zip of many members": ("a.docx", zip_of_many),
    "flate": ("a.pdf", flate_bomb),
    "nested forms": ("a.pdf", nested_forms),
    "picture": ("a.png", picture_bomb),
    "billion laughs in Word": ("a.docx", laughing_document),
    "billion laughs in XML": ("a.xml", lambda: f"<?xml version='1.0'?>{LAUGHS}<x>&j;</x>".encode()),
    "billion laughs in SVG": ("a.svg", lambda: f"{LAUGHS}<svg>&j;</svg>".encode()),
    "billion laughs in HTML": ("a.html", lambda: f"{LAUGHS}<html><body>&j;</body></html>".encode()),
    "billion laughs in a book": ("a.epub", lambda: samples.epub({}, **{"OEBPS/book.opf": LAUGHS + "<x>&j;</x>"})),
    "2^20 columns of CSV": ("a.csv", lambda: b"x," * 2**20 + b"\n" + b"1\n" * 1000),
    "2^20 columns of HTML": ("a.html", lambda: b"<table>" + b"<tr><td colspan=1048576>x</tr>" * 5000 + b"</table>"),
    "2^20 columns of ODS": ("a.ods", wide_row),
    "a cell in the last corner": ("a.xlsx", far_cell),
    "deep HTML": ("a.html", lambda: b"<div>" * 200_000 + b"x"),
    "deep quotations": ("a.html", lambda: b"<blockquote>" * 5_000 + b"x" + b"</blockquote>" * 5_000),
    "deep JSON": ("a.json", lambda: b"[" * 200_000),
    "deep RTF": ("a.rtf", lambda: b"{\\rtf1 " + b"{" * 500_000 + b"x"),
    "open fields of RTF": ("a.rtf", endless_style),
    "deep mail": ("a.eml", lambda: b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 1_500),
    "a line without end": ("a.md", lambda: b"[" * 200_000 + b"](x)" * 10),
    "text without end": ("a.txt", lambda: b"a " * (40 * MEGABYTE)),
}
