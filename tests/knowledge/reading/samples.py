"""Small files of every kind, made here."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from itertools import pairwise

import msoffcrypto.format.ooxml
from PIL import Image, ImageDraw

from gptbuilder.knowledge.reading import entry

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
CONTENT = "application/vnd.openxmlformats-officedocument"
TITLE = '<p:ph type="title"/>'
# Smaller ones would live in a file system of their own.
SMALLEST_STREAM = 4096
ODF = "urn:oasis:names:tc:opendocument:xmlns"


def read(data: bytes, name: str, password: str | None = None) -> dict:
    return entry.read({"file": io.BytesIO(data)}, name, password)


def texts(answer: dict) -> str:
    return "\n\n".join(text for _, _, _, text in answer["sections"])


def places(answer: dict) -> list[tuple]:
    return [(kind, number, title) for kind, number, title, _ in answer["sections"]]


def archive(members: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return out.getvalue()


def relations(targets: Mapping[str, tuple[str, str]]) -> str:
    rows = "".join(
        f'<Relationship Id="{key}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{rows}</Relationships>'


def types(parts: Mapping[str, str]) -> str:
    rows = "".join(f'<Override PartName="/{name}" ContentType="{CONTENT}.{kind}+xml"/>' for name, kind in parts.items())
    return (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{rows}</Types>'
    )


def docx(body: str, **more: str | bytes) -> bytes:
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{level}"><w:name w:val="heading {level}"/>'
        f'<w:pPr><w:outlineLvl w:val="{level - 1}"/></w:pPr></w:style>'
        for level in (1, 2)
    )
    return archive(
        {
            "[Content_Types].xml": types(
                {
                    "word/document.xml": "wordprocessingml.document.main",
                    "word/styles.xml": "wordprocessingml.styles",
                }
            ),
            "_rels/.rels": relations({"r1": ("officeDocument", "word/document.xml")}),
            "word/_rels/document.xml.rels": relations({"r1": ("styles", "styles.xml")}),
            "word/styles.xml": f'<w:styles xmlns:w="{WORD}">{styles}</w:styles>',
            "word/document.xml": f'<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>',
            **more,
        }
    )


def word(text: str, style: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def word_table(*rows: Sequence[str]) -> str:
    cells = ("".join(f"<w:tc>{word(cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def pptx(*slides: Sequence[str], **more: str | bytes) -> bytes:
    """Each slide: its title, then its lines."""
    numbers = range(1, len(slides) + 1)
    listed = "".join(f'<p:sldId id="{255 + number}" r:id="s{number}"/>' for number in numbers)
    return archive(
        {
            "[Content_Types].xml": types(
                {"ppt/presentation.xml": "presentationml.presentation.main"}
                | {f"ppt/slides/slide{number}.xml": "presentationml.slide" for number in numbers}
            ),
            "_rels/.rels": relations({"r1": ("officeDocument", "ppt/presentation.xml")}),
            "ppt/_rels/presentation.xml.rels": relations(
                {f"s{number}": ("slide", f"slides/slide{number}.xml") for number in numbers}
            ),
            "ppt/presentation.xml": f'<p:presentation xmlns:p="{SLIDES}" xmlns:r="{OFFICE}">'
            f"<p:sldIdLst>{listed}</p:sldIdLst></p:presentation>",
            **{f"ppt/slides/slide{number}.xml": _slide(lines) for number, lines in enumerate(slides, 1)},
            **more,
        }
    )


def _slide(lines: Sequence[str]) -> str:
    shapes = "".join(
        f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="x"/><p:cNvSpPr/><p:nvPr>'
        f"{TITLE if number == 2 else ''}</p:nvPr></p:nvSpPr><p:spPr/>"
        f"<p:txBody><a:bodyPr/><a:p><a:r><a:t>{line}</a:t></a:r></a:p></p:txBody></p:sp>"
        for number, line in enumerate(lines, 2)
    )
    return (
        f'<p:sld xmlns:p="{SLIDES}" xmlns:a="{DRAWING}" xmlns:r="{OFFICE}"><p:cSld><p:spTree><p:nvGrpSpPr>'
        f'<p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>{shapes}</p:spTree></p:cSld>'
        "</p:sld>"
    )


def xlsx(*sheets: tuple[str, str], **more: str | bytes) -> bytes:
    """Each sheet: its name, and its rows as XML."""
    numbers = range(1, len(sheets) + 1)
    listed = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="s{number}"/>' for number, (name, _) in enumerate(sheets, 1)
    )
    return archive(
        {
            "[Content_Types].xml": types(
                {"xl/workbook.xml": "spreadsheetml.sheet.main"}
                | {f"xl/worksheets/sheet{number}.xml": "spreadsheetml.worksheet" for number in numbers}
            ),
            "_rels/.rels": relations({"r1": ("officeDocument", "xl/workbook.xml")}),
            "xl/_rels/workbook.xml.rels": relations(
                {f"s{number}": ("worksheet", f"worksheets/sheet{number}.xml") for number in numbers}
            ),
            "xl/workbook.xml": f'<workbook xmlns="{SHEETS}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
            **{
                f"xl/worksheets/sheet{number}.xml": (
                    f'<worksheet xmlns="{SHEETS}"><sheetData>{rows}</sheetData></worksheet>'
                )
                for number, (_, rows) in enumerate(sheets, 1)
            },
            **more,
        }
    )


def row(number: int, **cells: str | float) -> str:
    """`row(1, A="text", C=5)`"""
    return f'<row r="{number}">{"".join(_cell(f"{column}{number}", value) for column, value in cells.items())}</row>'


def _cell(place: str, value: str | float) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def open_document(kind: str, body: str, **more: str | bytes) -> bytes:
    names = "".join(
        f' xmlns:{short}="{ODF}:{long}:1.0"'
        for short, long in (
            ("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"),
            ("presentation", "presentation"),
        )
    )  # fmt: skip
    body = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    content = f"<office:document-content{names}>{body}</office:document-content>"
    return archive(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": content,
            "META-INF/manifest.xml": '<manifest xmlns="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
            **more,
        },
        zipfile.ZIP_STORED,
    )


def epub(chapters: Mapping[str, str], **more: str | bytes) -> bytes:
    items = "".join(f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"/>' for name in chapters)
    spine = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    return archive(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
            "OEBPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A book</dc:title><dc:creator>Ada</dc:creator>'
            "</metadata>"
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
            **{f"OEBPS/{name}.xhtml": f"<html><body>{html}</body></html>" for name, html in chapters.items()},
            **more,
        }
    )


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ada <ada@example.org>", "ben@example.org", "Über die Maschine"
    message.set_content("Plain words.")
    message.add_alternative("<p>Rich words.</p>", subtype="html")
    return message


def pdf(*pages: bytes, resources: str = "", page: str = "", catalog: str = "", objects: Sequence[bytes] = ()) -> bytes:
    """Each page: its content stream. The words go into every page and the catalog, `objects` follow the pages."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    written = [
        f"<</Type/Catalog/Pages 2 0 R{catalog}>>".encode(),
        f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, content in enumerate(pages):
        written.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Resources<</Font<</F 3 0 R>>{resources}>>"
            f"/Contents {5 + 2 * number} 0 R{page}>>".encode()
        )
        written.append(stream(content))
    return assembled([*written, *objects])


def stream(content: bytes, properties: str = "") -> bytes:
    return f"<<{properties}/Length {len(content)}>>stream\n".encode() + content + b"\nendstream"


def assembled(objects: Sequence[bytes], trailer: str = "") -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj" % number + content + b"endobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += f"trailer<</Size {len(objects) + 1}/Root 1 0 R{trailer}>>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(out)


def shown(*lines: str) -> bytes:
    """The content of a page with these lines of text."""
    return ("BT /F 12 Tf 20 180 Td 14 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET").encode()


def locked_pdf(text: str, password: str) -> bytes:
    """By the oldest of its locks: RC4 with 40 bits."""
    padding = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
    padded = (password.encode() + padding)[:32]
    owner = rc4(hashlib.md5(padded).digest()[:5], padded)
    permissions, name = -4, b"0123456789abcdef"
    key = hashlib.md5(padded + owner + struct.pack("<i", permissions) + name).digest()[:5]
    content_key = hashlib.md5(key + b"\5\0\0\0\0").digest()[:10]
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[4 0 R]>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Resources<</Font<</F 3 0 R>>>>/Contents 5 0 R>>",
        stream(rc4(content_key, shown(text))),
        f"<</Filter/Standard/V 1/R 2/O<{owner.hex()}>/U<{rc4(key, padding).hex()}>/P {permissions}>>".encode(),
    ]
    return assembled(objects, f"/Encrypt 6 0 R/ID[<{name.hex()}><{name.hex()}>]")


def rc4(key: bytes, data: bytes) -> bytes:
    box = list(range(256))
    j = 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


def locked_office(data: bytes, password: str) -> bytes:
    """By msoffcrypto, which locks no package below 4096 bytes as it should: `data` has to be larger."""
    out = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(data)).encrypt(password, out)
    return out.getvalue()


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file (OLE) of these streams, filled up with zeros; `folder/name` for one in a folder."""
    folders = sorted({name.partition("/")[0] for name in streams if "/" in name})
    top = [*folders, *(name for name in streams if "/" not in name)]
    entries: list[tuple[str, int, int, int, int, int]] = []  # name, type, right, child, start, size
    chains: list[int] = []
    body = bytearray()
    order = [*top, *(name for name in streams if "/" in name)]
    ids = {name: number for number, name in enumerate(order, 1)}
    none = 0xFFFFFFFF

    def chained(names: Sequence[str]) -> dict[str, int]:
        """Each entry's right neighbour: a list is a tree, too."""
        return {name: ids[after] for name, after in pairwise(names)}

    rights = chained(top)
    children = {folder: [name for name in streams if name.startswith(folder + "/")] for folder in folders}
    for names in children.values():
        rights |= chained(names)
    for name in order:
        if name in children:
            entries.append((name, 1, rights.get(name, none), ids[children[name][0]], 0, 0))
            continue
        content = streams[name].ljust(SMALLEST_STREAM, b"\0")
        count = -(-len(content) // 512)
        first = len(chains)
        chains += [*range(first + 1, first + count), 0xFFFFFFFE]
        body += content.ljust(count * 512, b"\0")
        entries.append((name.rpartition("/")[2], 2, rights.get(name, none), none, first, len(content)))
    directory = b"".join(_entry(*entry) for entry in [("Root Entry", 5, none, ids[top[0]], 0xFFFFFFFE, 0), *entries])
    sectors = -(-len(directory) // 512)
    directory_start = len(chains)
    chains += [*range(directory_start + 1, directory_start + sectors), 0xFFFFFFFE]
    body += directory.ljust(sectors * 512, b"\0")
    table_start = len(chains)
    tables = -(-(len(chains) + 1) // 127)
    chains += [0xFFFFFFFD] * tables
    body += struct.pack(f"<{tables * 128}I", *chains, *[none] * (tables * 128 - len(chains)))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6xII", 62, 3, 0xFFFE, 9, 6, 0, tables)
    head += struct.pack("<IIIIIII", directory_start, 0, 0, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", *range(table_start, table_start + tables), *[none] * (109 - tables))
    return head + bytes(body)


def _entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le")
    return (
        encoded.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(encoded) + 2, kind, 1, 0xFFFFFFFF, right, child)
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )


def picture(text: str = "", kind: str = "PNG") -> bytes:
    image = Image.new("L", (1200, 300), 255)
    if text:
        ImageDraw.Draw(image).text((40, 80), text, fill=0, font_size=80)
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()
