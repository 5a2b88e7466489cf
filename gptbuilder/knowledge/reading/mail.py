"""E-mail: EML and MHTML by the standard library, Outlook's MSG by olefile. Attachments are named, not opened."""

from __future__ import annotations

import email.errors
import email.policy
import io
from collections.abc import Iterable, Iterator
from email.message import EmailMessage, MIMEPart
from email.parser import HeaderParser

import olefile

from gptbuilder.knowledge.reading import charsets, hypertext
from gptbuilder.knowledge.reading.document import Reading, Section, Source, Unreadable

FIELDS = ("From", "To", "Cc", "Date", "Subject")
# Properties of a message, by the names their streams have ([MS-OXPROPS]).
SUBJECT, BODY, HTML, HEADERS = 0x0037, 0x1000, 0x1013, 0x007D
SENDER_NAME, SENDER_ADDRESS, SENDER_SMTP = 0x0C1A, 0x0C1F, 0x5D01
DISPLAY_NAME, ADDRESS, SMTP_ADDRESS, DISPLAY_TO, DISPLAY_CC = 0x3001, 0x3003, 0x39FE, 0x0E04, 0x0E03
FILE_NAME, SHORT_FILE_NAME = 0x3707, 0x3704
UNICODE, EIGHT_BIT, BINARY = "001F", "001E", "0102"


def read(source: Source) -> Reading:
    return _outlook(source) if source.kind == "msg" else _internet(source)


def _internet(source: Source) -> Reading:
    message = email.message_from_bytes(_in_bytes(source.data), policy=email.policy.default)
    if not isinstance(message, EmailMessage) or not (message.keys() or message.get_payload()):
        raise Unreadable("broken", "no message")
    fields = [(field, _field(message, field)) for field in FIELDS]
    return _letter(fields, _body(message), _attachments(message))


def _in_bytes(data: bytes) -> bytes:
    """Some programs save a message in UTF-16, whatever its header says."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:2]:
        return charsets.decoded(data).encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def _field(message: EmailMessage, field: str) -> str:
    try:
        return str(message.get(field) or "")
    except (email.errors.MessageError, ValueError, LookupError, TypeError, AttributeError, IndexError):
        # The parser of structured fields stumbles over broken ones.
        return next((value for name, value in message.raw_items() if name.lower() == field.lower()), "")


def _body(message: EmailMessage) -> str:
    """Plain text where there is some, otherwise HTML; every text of a message that is made of several."""
    chosen = message.get_body(preferencelist=("plain", "html"))
    text = _text(chosen) if chosen is not None else ""
    if not text.strip() and chosen is not None and (html := message.get_body(preferencelist=("html",))) is not None:
        text = _text(html)
    if text.strip():
        return text
    parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n\n".join(_text(part) for part in parts)


def _text(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes) or not payload:
        return ""
    declared = part.get_content_charset()
    try:
        if part.get_content_subtype() == "html":
            return hypertext.to_markdown(
                charsets.decoded(payload, declared) if declared else hypertext.decoded(payload)
            )
        return charsets.decoded(payload, declared)
    except Unreadable:
        return ""


def _attachments(message: EmailMessage) -> Iterator[str]:
    for part in message.walk():
        name = part.get_filename()
        if name and part.get_content_disposition() == "attachment":
            yield name


def _outlook(source: Source) -> Reading:
    try:
        with olefile.OleFileIO(io.BytesIO(source.data)) as compound:
            return _letter(_outlook_fields(compound), _outlook_body(compound), _outlook_attachments(compound))
    except OSError as error:
        raise Unreadable("broken", f"MSG: {error}") from error


def _outlook_fields(compound: olefile.OleFileIO) -> list[tuple[str, str]]:
    """What Outlook shows; the headers of the journey are there for received messages only."""
    headers = HeaderParser(policy=email.policy.default).parsestr(_property(compound, HEADERS))
    recipients = [
        _person(compound, DISPLAY_NAME, SMTP_ADDRESS, ADDRESS, within=folder)
        for folder in _folders(compound, "__recip_version1.0_")
    ]
    found = {
        "From": _person(compound, SENDER_NAME, SENDER_SMTP, SENDER_ADDRESS),
        "To": ", ".join(filter(None, recipients)) or _property(compound, DISPLAY_TO),
        "Cc": _property(compound, DISPLAY_CC),
        "Subject": _property(compound, SUBJECT),
    }
    return [(field, found.get(field) or _field(headers, field)) for field in FIELDS]


def _person(compound: olefile.OleFileIO, name: int, *addresses: int, within: str = "") -> str:
    """An address with the name behind it. Within a company there may be a name only."""
    named = _property(compound, name, within).strip()
    address = next((found for each in addresses if "@" in (found := _property(compound, each, within))), "")
    if not address or address == named:
        return named or address
    return f"{address} ({named})" if named else address


def _outlook_body(compound: olefile.OleFileIO) -> str:
    if (text := _property(compound, BODY)).strip():
        return text
    if html := _stream(compound, HTML, BINARY).rstrip(b"\0"):
        return hypertext.to_markdown(hypertext.decoded(html))
    return hypertext.to_markdown(_property(compound, HTML))


def _outlook_attachments(compound: olefile.OleFileIO) -> Iterator[str]:
    for folder in _folders(compound, "__attach_version1.0_"):
        yield _property(compound, FILE_NAME, folder) or _property(compound, SHORT_FILE_NAME, folder)


def _folders(compound: olefile.OleFileIO, prefix: str) -> list[str]:
    return sorted({entry[0] for entry in compound.listdir() if entry[0].lower().startswith(prefix)})


def _property(compound: olefile.OleFileIO, number: int, within: str = "") -> str:
    """In Unicode, or in a charset that messages often name wrongly: its bytes decide."""
    if wide := _stream(compound, number, UNICODE, within):
        return wide.decode("utf-16-le", "replace").rstrip("\0")
    narrow = _stream(compound, number, EIGHT_BIT, within).rstrip(b"\0")
    return charsets.decoded(narrow) if narrow else ""


def _stream(compound: olefile.OleFileIO, number: int, kind: str, within: str = "") -> bytes:
    path = [*filter(None, [within]), f"__substg1.0_{number:04X}{kind}"]
    if not compound.exists(path):
        return b""
    data: bytes = compound.openstream(path).read()
    return data


def _letter(fields: Iterable[tuple[str, str]], body: str, attachments: Iterable[str]) -> Reading:
    lines = [f"**{field}:** {' '.join(value.split())}" for field, value in fields if value.strip()]
    if names := ", ".join(filter(None, attachments)):
        lines.append(f"**Attachments:** {names}")
    subject = next((" ".join(value.split()) for field, value in fields if field == "Subject"), "")
    text = "\n".join(lines) + "\n\n" + body.strip("\n")
    return Reading([Section("part", None, subject, text.strip())] if lines or body.strip() else [])
