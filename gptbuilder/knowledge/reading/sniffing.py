"""What a file is: by its first bytes and its content, and by its name only where the content is plain text."""

from __future__ import annotations

import io
import re

from gptbuilder.knowledge.reading import charsets
from gptbuilder.knowledge.reading.archives import Archive
from gptbuilder.knowledge.reading.document import Unreadable, extension_of

MAGIC = (
    (re.compile(rb"\{\\rtf"), "rtf"),
    (re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|II\*\0|MM\0\*"), "image"),
    (re.compile(rb"RIFF....WEBP|BM....\0\0\0\0", re.DOTALL), "image"),
    (re.compile(rb"\xdb\xa5"), "doc"),  # Word 2
)
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
PDF_WITHIN_BYTES = 1024
OPEN_DOCUMENT = {
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/epub+zip": "epub",
}
OFFICE_FOLDERS = (("word/", "docx"), ("ppt/", "pptx"), ("xl/", "xlsx"))
COMPOUND_STREAMS = (
    ("EncryptedPackage", "encrypted"),
    ("__properties_version1.0", "msg"),
    ("WordDocument", "doc"),
    ("PowerPoint Document", "ppt"),
    ("Workbook", "xls"),
    ("Book", "xls"),
)
# The extension of what is never plain text, and the kind it promises.
PROMISES = {
    "pdf": "pdf",
    "doc": "doc", "dot": "doc",
    "docx": "docx", "docm": "docx", "dotx": "docx", "dotm": "docx",
    "ppt": "ppt", "pps": "ppt",
    "pptx": "pptx", "pptm": "pptx", "ppsx": "pptx", "ppsm": "pptx", "potx": "pptx",
    "xls": "xls", "xlt": "xls",
    "xlsx": "xlsx", "xlsm": "xlsx", "xltx": "xlsx", "xlsb": "xlsb",
    "odt": "odt", "ott": "odt", "odp": "odp", "otp": "odp", "ods": "ods", "ots": "ods",
    "epub": "epub", "msg": "msg", "rtf": "rtf",
    "png": "image", "jpg": "image", "jpeg": "image", "gif": "image", "webp": "image", "bmp": "image",
    "tif": "image", "tiff": "image",
}  # fmt: skip
TEXT_KINDS = {
    "md": "markdown", "markdown": "markdown", "mdx": "markdown", "qmd": "markdown", "rmd": "markdown",
    "csv": "csv", "tsv": "csv", "tab": "csv",
    "html": "html", "htm": "html", "xhtml": "html", "xht": "html", "shtml": "html",
    "json": "json", "geojson": "json", "webmanifest": "json",
    "ipynb": "notebook",
    "eml": "eml", "mht": "eml", "mhtml": "eml", "emlx": "eml",
    "xml": "xml", "svg": "xml", "rss": "xml", "atom": "xml", "xsd": "xml", "xsl": "xml", "fodt": "xml",
}  # fmt: skip
HTML = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
MAIL = re.compile(r"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}", re.ASCII)
MAIL_FIELDS = re.compile(r"^(from|to|subject|date|message-id|mime-version|received|return-path):", re.I | re.M)
MAIL_FIELDS_NEEDED = 3
BEGINNING = 4096


def sniff(data: bytes, name: str) -> str:
    """The kind of a file. Raises Unreadable where it is empty, is none we read, or is not what its name promises."""
    if not data:
        raise Unreadable("empty", "no bytes")
    head = data[:PDF_WITHIN_BYTES]
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(COMPOUND):
        return _compound(data)
    if head.startswith(ZIP):
        return _archive(data, name)
    for magic, kind in MAGIC:
        if magic.match(head):
            return kind
    return _text(data, name)


def _compound(data: bytes) -> str:
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as compound:
            streams = {entry[0].lower() for entry in compound.listdir()}
    except Exception as error:
        raise Unreadable("broken", f"compound file: {error}") from error
    for stream, kind in COMPOUND_STREAMS:
        if stream.lower() in streams:
            return kind
    raise Unreadable("unsupported", "a compound file of another program")


def _archive(data: bytes, name: str) -> str:
    try:
        archive = Archive(data)
    except Unreadable as error:
        if error.outcome == "broken" and extension_of(name) not in PROMISES:
            raise Unreadable("unsupported", error.detail) from error
        raise
    if archive.find("mimetype"):
        kind = OPEN_DOCUMENT.get(archive.read("mimetype").decode("ascii", "replace").strip().removesuffix("-template"))
        if kind:
            return kind
    if archive.find("META-INF/container.xml"):
        return "epub"
    names = [member.lower().lstrip("/") for member in archive.names]
    if "[content_types].xml" in names:
        for folder, kind in OFFICE_FOLDERS:
            if any(member.startswith(folder) for member in names):
                return "xlsb" if "xl/workbook.bin" in names else kind
    raise Unreadable("unsupported", "an archive")


def _text(data: bytes, name: str) -> str:
    extension = extension_of(name)
    promised = PROMISES.get(extension)
    try:
        beginning = charsets.decoded(data[: 4 * BEGINNING])
    except Unreadable as error:
        raise Unreadable("broken" if promised else "unsupported", error.detail) from error
    if not beginning.strip() and len(data) <= 4 * BEGINNING:
        raise Unreadable("empty", "white space only")
    if beginning.lstrip().startswith("{\\rtf"):
        return "rtf"
    kind = TEXT_KINDS.get(extension)
    if (kind == "xml" and HTML.match(beginning)) or (kind is None and HTML.match(beginning[:BEGINNING])):
        return "html"
    if promised:
        raise Unreadable("wrong_extension", f"plain text called .{extension}")
    if kind is None and _looks_like_mail(beginning):
        return "eml"
    return kind or "text"


def _looks_like_mail(beginning: str) -> bool:
    header = MAIL.match(beginning.removeprefix("\n"))
    if not header:
        return False
    return len({field.lower() for field in MAIL_FIELDS.findall(header[0])}) >= MAIL_FIELDS_NEEDED
