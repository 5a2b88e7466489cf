"""A document's operations, each with one schema for all its arguments and a note of how every argument is sent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

from gptbuilder.actions.openapi import examples
from gptbuilder.actions.openapi.arguments import STYLES, Arguments, chosen, collection, of_swagger
from gptbuilder.actions.openapi.schemas import Translator, followed, mapping
from gptbuilder.actions.openapi.types import Api, Body, Operation, Scheme, SchemeKind, Unusable

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
SAFE = ("get", "head")
NAME_LETTERS = 64
SUMMARY_LETTERS, DESCRIPTION_LETTERS = 300, 2000
# The transport's own, what proxies believe, and what carries who somebody is.
FORBIDDEN = re.compile(
    r"(?i)accept|accept-charset|accept-encoding|authorization|connection|content-length|content-type|cookie2?|date|dnt|"
    r"expect|forwarded|host|keep-alive|origin|referer|set-cookie2?|te|trailer|transfer-encoding|upgrade|user-agent|via|"
    r"x-forwarded-.*|x-real-ip|x-http-method.*|x-method-override|proxy-.*|sec-.*|access-control-.*|cf-.*|true-client-ip"
)


def read(document: Mapping[str, Any], source_url: str = "") -> Api:
    """Every operation of a parsed document, those that cannot be called with the reason why. `source_url` is where the
    document came from, for addresses that are relative to it."""
    return _Reader(document, source_url).api()


class _Reader:
    def __init__(self, document: Mapping[str, Any], source_url: str) -> None:
        self.document = document
        self.source_url = source_url
        self.is_swagger = "swagger" in document and "openapi" not in document
        self.translator = Translator(document, is_draft_4=not str(document.get("openapi", "")).startswith("3.1"))
        self.examples = examples.Examples(document)
        self.schemes = {scheme.name: scheme for scheme in self._schemes()}
        self.names: set[str] = set()
        self.warnings: list[str] = []

    def api(self) -> Api:
        info = mapping(self.document.get("info"))
        operations = tuple(self._operations())
        return Api(
            title=_text(info.get("title"))[:SUMMARY_LETTERS],
            version=str(info.get("version", ""))[:40],
            description=_text(info.get("description"))[:DESCRIPTION_LETTERS],
            schemes=tuple(self.schemes.values()),
            operations=operations,
            warnings=tuple(dict.fromkeys(self.warnings)),
        )

    def _operations(self) -> Iterator[Operation]:
        for path, item in self.document["paths"].items():
            try:
                item = followed(self.document, item)
            except Unusable as problem:
                self.warnings.append(f"{path}: {problem}")
                continue
            if not isinstance(item, Mapping) or not str(path).startswith("/"):
                if not str(path).startswith("x-"):
                    self.warnings.append(f"{path}: this is no path.")
                continue
            for method in METHODS:
                if isinstance(item.get(method), Mapping):
                    yield self._operation(str(path), method, item, item[method])

    def _operation(self, path: str, method: str, item: Mapping[str, Any], said: Mapping[str, Any]) -> Operation:
        try:
            said = mapping(followed(self.document, said))
        except Unusable as problem:
            return Operation(**self._known(path, method, item, {}), problem=problem.code, detail=problem.detail)
        known = self._known(path, method, item, said)
        try:
            return Operation(**known, **self._call(path, method, item, said))
        except Unusable as problem:
            return Operation(**known, problem=problem.code, detail=problem.detail)

    def _known(self, path: str, method: str, item: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
        """What is told of an operation whether it can be called or not."""
        description = _text(said.get("description")) or _text(item.get("description"))
        consequential = said.get("x-openai-isConsequential")
        return {
            "name": self._name(said.get("operationId"), method, path),
            "method": method.upper(),
            "path": path,
            "summary": (_text(said.get("summary")) or description.split("\n", 1)[0])[:SUMMARY_LETTERS],
            "description": description[:DESCRIPTION_LETTERS],
            "is_consequential": consequential if isinstance(consequential, bool) else method not in SAFE,
            "schemes": self._security(said),
        }

    def _call(self, path: str, method: str, item: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
        """How the operation is called. Raises Unusable."""
        server = self._server(item, said)
        arguments = Arguments(self.document, self.translator, is_swagger=self.is_swagger)
        given = self._parameters(item, said)
        for parameter in given:
            if parameter["in"] in STYLES:
                arguments.add_parameter(parameter)
        if missing := set(re.findall(r"\{([^{}]+)\}", path)) - {
            p.name for p in arguments.parameters if p.location == "path"
        }:
            for name in sorted(missing):
                # Sloppy documents name it in the path alone.
                arguments.add_parameter({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
        body = self._swagger_body(said, given, arguments) if self.is_swagger else self._body(said, arguments)
        return {
            "server": server,
            "parameters": tuple(arguments.parameters),
            "body": body,
            "schema": arguments.schema(),
            "example": self.examples.of_operation(said, is_swagger=self.is_swagger),
        }

    def _parameters(self, item: Mapping[str, Any], said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The operation's own, and the path's where it has none of that name and place."""
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        for listed in (item.get("parameters"), said.get("parameters")):
            for parameter in listed if isinstance(listed, list) else []:
                parameter = followed(self.document, parameter)
                if not isinstance(parameter, Mapping) or not isinstance(parameter.get("name"), str):
                    continue
                place = str(parameter.get("in"))
                if place == "header" and FORBIDDEN.fullmatch(parameter["name"]):
                    continue
                if (place, parameter["name"]) in self._filled():
                    continue
                found[place, parameter["name"]] = parameter
        return list(found.values())

    def _filled(self) -> set[tuple[str, str]]:
        """The parameters that carry a key: whoever connects the API fills them in."""
        return {(scheme.location, scheme.parameter) for scheme in self.schemes.values() if scheme.parameter}

    def _body(self, said: Mapping[str, Any], arguments: Arguments) -> Body | None:
        body = followed(self.document, said.get("requestBody"))
        if body is None:
            return None
        if not isinstance(body, Mapping) or not isinstance(body.get("content"), Mapping):
            raise Unusable("body")
        media_type, media = chosen(body["content"])
        required = body.get("required") is True
        return arguments.add_body(media_type, media.get("schema", {}), required, mapping(media.get("encoding")))

    def _swagger_body(
        self, said: Mapping[str, Any], given: Sequence[Mapping[str, Any]], arguments: Arguments
    ) -> Body | None:
        consumes = [str(kind) for kind in said.get("consumes") or self.document.get("consumes") or []]
        for parameter in given:
            if parameter["in"] == "body":
                media_type, _ = chosen({kind: {} for kind in consumes} or {"application/json": {}})
                return arguments.add_body(
                    media_type, parameter.get("schema", {}), parameter.get("required") is True, {}
                )
        form = [parameter for parameter in given if parameter["in"] == "formData"]
        if not form:
            return None
        has_file = any(parameter.get("type") == "file" for parameter in form)
        multipart = has_file or any(kind.startswith("multipart/") for kind in consumes)
        required = [parameter["name"] for parameter in form if parameter.get("required") is True]
        schema = {"type": "object", "properties": {p["name"]: of_swagger(p) for p in form}, "required": required}
        encoding = {p["name"]: collection(p) for p in form if p.get("type") == "array"}
        media_type = "multipart/form-data" if multipart else "application/x-www-form-urlencoded"
        return arguments.add_body(media_type, schema, True, encoding)

    def _server(self, item: Mapping[str, Any], said: Mapping[str, Any]) -> str:
        """The address all paths are below, without a slash at its end. Raises Unusable."""
        for address in self._servers(item, said):
            whole = urljoin(self.source_url, address) if self.source_url else address
            parts = urlsplit(whole)
            if parts.scheme in ("https", "http") and parts.hostname and "{" not in whole:
                return whole.rstrip("/")
        raise Unusable("no_server")

    def _servers(self, item: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[str]:
        if self.is_swagger:
            host = self.document.get("host") or urlsplit(self.source_url).netloc
            schemes = said.get("schemes") or self.document.get("schemes") or ["https"]
            scheme = "https" if "https" in schemes else next((s for s in schemes if s in ("http", "https")), "https")
            if host:
                yield f"{scheme}://{host}{self.document.get('basePath') or ''}"
            return
        for holder in (said, item, self.document):
            listed = holder.get("servers")
            if isinstance(listed, list) and listed:
                for server in listed:
                    if isinstance(server, Mapping) and isinstance(server.get("url"), str):
                        yield _filled_in(server)
                return
        if self.source_url:
            yield "/"

    def _name(self, said: Any, method: str, path: str) -> str:
        """Unique, and of what a model's provider takes."""
        made = "_".join(re.findall(r"[A-Za-z0-9-]+", f"{method} {path}"))
        whole = said if isinstance(said, str) and said.strip() else made
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", whole).strip("_") or method
        if len(name) > NAME_LETTERS:
            name = f"{name[: NAME_LETTERS - 9]}_{hashlib.sha256(whole.encode()).hexdigest()[:8]}"
        unique, number = name, 1
        while unique in self.names:
            number += 1
            unique = f"{name[: NAME_LETTERS - len(str(number)) - 1]}_{number}"
        self.names.add(unique)
        return unique

    def _security(self, said: Mapping[str, Any]) -> tuple[str, ...]:
        listed = said.get("security", self.document.get("security"))
        wanted = (
            [name for one in listed or [] if isinstance(one, Mapping) for name in one]
            if isinstance(listed, list)
            else []
        )
        return tuple(name for name in dict.fromkeys(wanted) if name in self.schemes)

    def _schemes(self) -> Iterator[Scheme]:
        holder = self.document if self.is_swagger else mapping(self.document.get("components"))
        for name, said in mapping(holder.get("securityDefinitions" if self.is_swagger else "securitySchemes")).items():
            try:
                said = followed(self.document, said)
            except Unusable:
                continue
            if isinstance(said, Mapping):
                yield _scheme(str(name), said)


def _scheme(name: str, said: Mapping[str, Any]) -> Scheme:
    kind = str(said.get("type", "")).lower()
    if kind == "apikey":
        return Scheme(name, "key", str(said.get("in", "header")), str(said.get("name", "")))
    if kind in ("http", "basic"):
        way = str(said.get("scheme", kind)).lower()
        return Scheme(name, cast("SchemeKind", way if way in ("bearer", "basic") else "other"))
    if kind == "oauth2":
        flows = mapping(said.get("flows"))
        flow = mapping(flows.get("authorizationCode")) if flows else said
        scopes = tuple(str(scope) for scope in mapping(flow.get("scopes")))
        return Scheme(name, "oauth2", "", "", _text(flow.get("authorizationUrl")), _text(flow.get("tokenUrl")), scopes)
    return Scheme(name, "other")


def _filled_in(server: Mapping[str, Any]) -> str:
    """The address with the defaults of its variables."""
    address = str(server["url"])
    for name, variable in mapping(server.get("variables")).items():
        values = mapping(variable)
        options = values.get("enum")
        default = values.get("default", options[0] if isinstance(options, list) and options else None)
        if default is not None:
            address = address.replace(f"{{{name}}}", str(default))
    return address


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
