"""The text of a document as a mapping. Errors name the line."""

from __future__ import annotations

import json
import re
from typing import Any

from ryaml import InvalidYamlError, loads  # type: ignore[attr-defined]  # its stub exports nothing

TEXT_BYTES = 20_000_000
PLACE = re.compile(r"at line (\d+) column (\d+)")
VERSIONS = re.compile(r"3\.[01]\.\d+.*|3\.[01]|2\.0")


class NotReadable(Exception):
    """The text is no OpenAPI document. `line` and `column` count from 1 and are None where nothing tells them.

    Codes: too_large, encoding, json, yaml, not_a_mapping, not_openapi, version, no_paths.
    """

    def __init__(self, code: str, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column


def parse(data: bytes) -> dict[str, Any]:
    """The document: OpenAPI 3.1, 3.0 or Swagger 2.0, in JSON or YAML. Raises NotReadable."""
    if len(data) > TEXT_BYTES:
        raise NotReadable("too_large", f"The document is larger than {TEXT_BYTES // 1_000_000} MB.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise NotReadable("encoding", "The document is not UTF-8 text.", line) from None
    return _checked(_json(text) if text.lstrip()[:1] in ("{", "[") else _yaml(text))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        try:
            # A YAML document may begin like that, too.
            found = loads(text)
        except InvalidYamlError:
            raise NotReadable("json", error.msg, error.lineno, error.colno) from None
        return found
    except (ValueError, RecursionError) as error:
        raise NotReadable("json", str(error)) from None


def _yaml(text: str) -> Any:
    try:
        return loads(text)
    except InvalidYamlError as error:
        found = PLACE.search(str(error))
        line, column = (int(found[1]), int(found[2])) if found else (_suspicious_line(text, str(error)), None)
        raise NotReadable("yaml", PLACE.sub("", str(error)).strip(" ,"), line, column) from None


def _suspicious_line(text: str, message: str) -> int | None:
    """Of the errors that the parser tells without a place."""
    duplicate = re.search(r'duplicate entry with key "(.*)"', message)
    lines = text.split("\n")
    if duplicate:
        key = re.compile(rf"""(\s*)["']?{re.escape(duplicate[1])}["']?\s*:""")
        seen: dict[str, int] = {}
        for number, line in enumerate(lines, 1):
            if found := key.match(line):
                if found[1] in seen:
                    return number
                seen[found[1]] = number
    return next((number for number, line in enumerate(lines, 1) if line.startswith("\t")), None)


def _checked(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise NotReadable("not_a_mapping", "The document must be a mapping with “openapi”, “info” and “paths”.", 1)
    version = document.get("openapi", document.get("swagger"))
    if version is None:
        raise NotReadable("not_openapi", "The document does not say “openapi” or “swagger” and a version.", 1)
    if not VERSIONS.fullmatch(str(version)):
        raise NotReadable("version", f"OpenAPI {version} is not known here: 3.1, 3.0 and Swagger 2.0 are.")
    if not isinstance(document.get("paths"), dict) or not document["paths"]:
        raise NotReadable("no_paths", "The document has no paths, so there is nothing to call.")
    return document
