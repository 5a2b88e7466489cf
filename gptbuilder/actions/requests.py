"""The request that an operation and a model's arguments come to. Pure."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gptbuilder.actions.openapi.types import Body, Field, Operation, Parameter

# Of the reserved characters, those that divide nothing in a query.
RESERVED = ":/?[]@!$'()*,;"
SEPARATORS = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C", "tabDelimited": "%09"}


@dataclass(frozen=True)
class Request:
    """As it is sent. `secret_headers` are those that no other origin may see."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes
    secret_headers: tuple[str, ...]


@dataclass(frozen=True)
class File:
    """A file of the conversation, to be sent as a part of a form."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True)
class Credentials:
    """What proves who calls. `kind`: none, bearer, basic (`secret` is `name:password`), header, query, cookie."""

    kind: str = "none"
    secret: str = ""
    parameter: str = ""


NONE = Credentials()


class FileMissing(Exception):
    """The arguments name a file that the conversation does not have."""


def prepare(
    operation: Operation,
    arguments: Mapping[str, Any],
    credentials: Credentials = NONE,
    files: Mapping[str, File] | None = None,
) -> Request:
    """The request for arguments that fit the operation's schema. The credentials have the last word: no argument can
    set what they set. Raises FileMissing."""
    path, query, headers, cookies = operation.path, [], {"accept": "application/json, text/*;q=0.9, */*;q=0.5"}, []
    for parameter in operation.parameters:
        value = arguments.get(parameter.argument)
        if parameter.argument not in arguments or (value is None and parameter.location != "path"):
            continue
        match parameter.location:
            case "path":
                path = path.replace(f"{{{parameter.name}}}", _in_path(parameter, value))
            case "query":
                query += _in_query(parameter, value)
            case "header":
                headers[parameter.name.lower()] = _line(_joined(parameter, value, ",", raw=True))
            case "cookie":
                cookies += _in_query(parameter, value)
    content, media_type = _content(operation.body, arguments, files or {})
    if media_type:
        headers["content-type"] = media_type
    query, cookies = _signed(credentials, headers, query, cookies)
    if cookies:
        headers["cookie"] = "; ".join(cookies)
    address = f"{operation.server}{path}"
    url = f"{address}?{'&'.join(query)}" if query else address
    secret = (credentials.parameter,) if credentials.kind == "header" else ()
    return Request(operation.method, url, headers, content, secret)


def _signed(
    credentials: Credentials, headers: dict[str, str], query: list[str], cookies: list[str]
) -> tuple[list[str], list[str]]:
    name, secret = credentials.parameter, credentials.secret
    match credentials.kind:
        case "bearer":
            headers["authorization"] = f"Bearer {_line(secret)}"
        case "basic":
            headers["authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"
        case "header":
            headers[name.lower()] = _line(secret)
        case "query":
            query = _with(query, name, secret)
        case "cookie":
            cookies = _with(cookies, name, secret)
    return query, cookies


def _with(parts: list[str], name: str, secret: str) -> list[str]:
    """The parts of a query or of cookies, with the secret in the place of whatever has its name."""
    key = f"{_escaped(name)}="
    return [*(part for part in parts if not part.startswith(key)), f"{key}{_escaped(secret)}"]


# --- Parameters, as OpenAPI says that each style is written ------------------------------------------


def _in_path(parameter: Parameter, value: Any) -> str:
    if parameter.media_type:
        return _escaped(_json(value))
    name = _escaped(parameter.name)
    is_object, is_list = isinstance(value, Mapping), isinstance(value, list)
    match parameter.style:
        case "label":
            return "." + _joined(parameter, value, "." if parameter.explode else ",")
        case "matrix" if is_object and parameter.explode:
            return "".join(f";{_escaped(key)}={_escaped(_text(one))}" for key, one in value.items())
        case "matrix" if is_list and parameter.explode:
            return "".join(f";{name}={_escaped(_text(one))}" for one in value)
        case "matrix":
            return f";{name}={_joined(parameter, value, ',')}"
    # A value that is only dots would be a way to another path.
    written = _joined(parameter, value, ",")
    return written.replace(".", "%2E") if written in (".", "..") else written


def _in_query(parameter: Parameter | Field, value: Any) -> list[str]:
    name = _escaped(parameter.name)
    safe = RESERVED if isinstance(parameter, Parameter) and parameter.allow_reserved else ""
    if parameter.media_type:
        return [f"{name}={_escaped(_json(value), safe)}"]
    if isinstance(value, Mapping):
        if parameter.style == "deepObject":
            return _deep(name, value, safe)
        if parameter.explode:
            return [f"{_escaped(key)}={_escaped(_text(one), safe)}" for key, one in value.items()]
        pairs = [part for key, one in value.items() for part in (_escaped(key), _escaped(_text(one), safe))]
        return [f"{name}={','.join(pairs)}"]
    if isinstance(value, list):
        written = [_escaped(_text(one), safe) for one in value]
        if parameter.explode or parameter.style == "deepObject":
            return [f"{name}={one}" for one in written]
        return [f"{name}={SEPARATORS.get(parameter.style, ',').join(written)}"]
    return [f"{name}={_escaped(_text(value), safe)}"]


def _deep(name: str, value: Mapping[str, Any], safe: str) -> list[str]:
    """`name[key]=value`, and lists as the same key again."""
    parts: list[str] = []
    for key, one in value.items():
        inner = f"{name}%5B{_escaped(key)}%5D"
        if isinstance(one, Mapping):
            parts += _deep(inner, one, safe)
        else:
            parts += [f"{inner}={_escaped(_text(item), safe)}" for item in (one if isinstance(one, list) else [one])]
    return parts


def _joined(parameter: Parameter, value: Any, separator: str, *, raw: bool = False) -> str:
    write = _text if raw else lambda one: _escaped(_text(one))
    if parameter.media_type:
        return _json(value)
    if isinstance(value, Mapping):
        between = "=" if parameter.explode else separator
        return separator.join(f"{write(key)}{between}{write(one)}" for key, one in value.items())
    if isinstance(value, list):
        return separator.join(write(one) for one in value)
    return write(value)


# --- Data ------------------------------------------------------------------------------------------


def _content(body: Body | None, arguments: Mapping[str, Any], files: Mapping[str, File]) -> tuple[bytes, str]:
    """The data and its media type; nothing where there is none."""
    if body is None or (body.argument and body.argument not in arguments):
        return b"", ""
    given = [(field, arguments[field.argument]) for field in body.fields if field.argument in arguments]
    if body.media_type == "application/x-www-form-urlencoded":
        parts = [part for field, value in given for part in _in_query(field, value)]
        return "&".join(parts).encode(), body.media_type
    if body.media_type == "multipart/form-data":
        return _multipart(given, files)
    value = arguments[body.argument] if body.argument else {field.name: one for field, one in given}
    if body.media_type.startswith("text/") and body.media_type != "text/json":
        return _text(value).encode(), f"{body.media_type}; charset=utf-8"
    return _json(value).encode(), body.media_type


def _multipart(given: Iterable[tuple[Field, Any]], files: Mapping[str, File]) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    body = bytearray()
    for field, value in given:
        for one in value if isinstance(value, list) and (field.is_file or not _is_nested(value)) else [value]:
            body += f"--{boundary}\r\n".encode() + _part(field, one, files) + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return bytes(body), f"multipart/form-data; boundary={boundary}"


def _part(field: Field, value: Any, files: Mapping[str, File]) -> bytes:
    name = _quoted(field.name)
    if field.is_file:
        file = files.get(str(value))
        if file is None:
            raise FileMissing(str(value))
        head = f'Content-Disposition: form-data; name="{name}"; filename="{_quoted(file.name)}"\r\n'
        return f"{head}Content-Type: {_line(file.media_type)}\r\n\r\n".encode() + file.data
    head = f'Content-Disposition: form-data; name="{name}"\r\n'
    kind = field.media_type or ("application/json" if isinstance(value, Mapping | list) else "")
    text = _json(value) if "json" in kind else _text(value)
    return f"{head}{f'Content-Type: {_line(kind)}' + chr(13) + chr(10) if kind else ''}\r\n{text}".encode()


def _is_nested(values: list[Any]) -> bool:
    return any(isinstance(value, Mapping | list) for value in values)


def _quoted(text: str) -> str:
    """As browsers write a name in a part's head."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _line(text: str) -> str:
    """A header's value: of one line, and of what headers can hold."""
    return "".join(letter for letter in text if letter == "\t" or " " <= letter != "\x7f").strip()


def _escaped(text: str, safe: str = "") -> str:
    return quote(text, safe=safe)


def _text(value: Any) -> str:
    """A single value as it stands in an address: texts as they are, everything else as JSON."""
    return value if isinstance(value, str) else "" if value is None else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
