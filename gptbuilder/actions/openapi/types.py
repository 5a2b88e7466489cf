"""What an OpenAPI document comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Location = Literal["path", "query", "header", "cookie"]
SchemeKind = Literal["bearer", "basic", "key", "oauth2", "other"]

# Why an operation cannot be used, or a document not be read: a word for programs, and what it is about.
PROBLEMS = {
    "no_server": "It names no address that it is reached at.",
    "media_type": "It wants its data in a form that is not known here: {detail}.",
    "broken_ref": "It refers to something that is not in the document: {detail}.",
    "remote_ref": "It refers to another document: {detail}.",
    "too_deep": "Its schema is nested too deeply.",
    "too_large": "Its schema is too large for a model.",
    "body": "What it wants as its data cannot be understood.",
    "parameter": "A parameter that it requires cannot be understood: {detail}.",
    "method": "This method cannot be called: {detail}.",
}


class Unusable(Exception):
    """An operation cannot be called. `code` is a key of PROBLEMS."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(PROBLEMS[code].format(detail=detail))
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Parameter:
    """One parameter: `name` on the wire, `argument` in the model's arguments. With a `media_type` its value is sent as
    that, not by style."""

    name: str
    argument: str
    location: Location
    style: str
    explode: bool
    allow_reserved: bool = False
    media_type: str = ""


@dataclass(frozen=True)
class Field:
    """One part of a form, or one property of a JSON body that stands beside the parameters."""

    name: str
    argument: str
    style: str = "form"
    explode: bool = True
    media_type: str = ""
    is_file: bool = False


@dataclass(frozen=True)
class Body:
    """What is sent as data: `fields` when its properties are arguments of their own, else the one `argument`."""

    media_type: str
    fields: tuple[Field, ...] = ()
    argument: str = ""


@dataclass(frozen=True)
class Scheme:
    """A way to sign in that the document names. `location` and `parameter` are those of a key."""

    name: str
    kind: SchemeKind
    location: str = ""
    parameter: str = ""
    authorization_url: str = ""
    token_url: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One endpoint. `schema` is that of all its arguments, an object of JSON Schema 2020-12; with a `problem`, a code
    of PROBLEMS, it cannot be called, and `schema` says nothing. `example` is a made-up answer."""

    name: str
    method: str
    path: str
    summary: str = ""
    description: str = ""
    server: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    schema: Mapping[str, Any] = field(default_factory=dict)
    is_consequential: bool = True
    schemes: tuple[str, ...] = ()
    example: Any = None
    problem: str = ""
    detail: str = ""

    @property
    def why_not(self) -> str:
        return PROBLEMS[self.problem].format(detail=self.detail) if self.problem else ""


@dataclass(frozen=True)
class Api:
    title: str
    version: str
    description: str
    schemes: tuple[Scheme, ...]
    operations: tuple[Operation, ...]
    warnings: tuple[str, ...] = ()
