"""Schemas of OpenAPI 3.1, 3.0 and Swagger 2.0 as JSON Schema 2020-12.

References stay references: what they name goes into `$defs` once, so a cycle costs nothing. What a keyword may not
hold, as it is found in the wild, is left out rather than passed on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from gptbuilder.actions.openapi.types import Unusable

DEPTH_MOST = 60
TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}
# Names that people write for them.
OTHER_TYPES = {
    "int": "integer", "int32": "integer", "int64": "integer", "long": "integer", "float": "number", "double": "number",
    "decimal": "number", "bool": "boolean", "str": "string", "text": "string", "date": "string", "datetime": "string",
    "date-time": "string", "uuid": "string", "file": "string", "list": "array", "dict": "object", "map": "object",
}  # fmt: skip
SIZES = (
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minContains",
    "maxContains",
)
NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
SUBSCHEMAS = (
    "not", "if", "then", "else", "contains", "propertyNames", "additionalProperties", "unevaluatedProperties",
    "unevaluatedItems", "items",
)  # fmt: skip
TEXTS = ("title", "description", "format", "contentEncoding", "contentMediaType")
FLAGS = ("uniqueItems", "deprecated", "writeOnly")


def resolve(document: Mapping[str, Any], ref: Any) -> Any:
    """What a local reference names. Raises Unusable."""
    if not isinstance(ref, str) or not ref.startswith("#"):
        raise Unusable("remote_ref", str(ref)[:200])
    found: Any = document
    for part in ref.lstrip("#").split("/")[1:]:
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        else:
            raise Unusable("broken_ref", ref[:200])
    return found


def followed(document: Mapping[str, Any], value: Any) -> Any:
    """The value, or what its reference names, through several of them. Raises Unusable."""
    for _ in range(DEPTH_MOST):
        if not (isinstance(value, Mapping) and "$ref" in value):
            return value
        value = resolve(document, value["$ref"])
    raise Unusable("too_deep")


@dataclass
class _Translated:
    schema: Any
    refs: set[str]


@dataclass
class Translator:
    """Of one document. `is_draft_4` where its keywords are those of JSON Schema's fourth draft, as before 3.1."""

    document: Mapping[str, Any]
    is_draft_4: bool
    _known: dict[str, _Translated] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def translate(self, schema: Any, refs: set[str]) -> Any:
        """The schema, with references into `$defs`; `refs` is told them. Raises Unusable."""
        return self._schema(schema, refs, 0)

    def definitions(self, refs: Iterable[str]) -> dict[str, Any]:
        """All that these references reach, by their names in `$defs`. Raises Unusable."""
        found: dict[str, Any] = {}
        waiting = sorted(refs)
        while waiting:
            ref = waiting.pop()
            name = self._name(ref)
            if name not in found:
                translated = self._definition(ref)
                found[name] = translated.schema
                waiting += sorted(translated.refs)
        return dict(sorted(found.items()))

    def _definition(self, ref: str) -> _Translated:
        if ref not in self._known:
            refs: set[str] = set()
            self._known[ref] = _Translated(self._schema(resolve(self.document, ref), refs, 0), refs)
        return self._known[ref]

    def _name(self, ref: str) -> str:
        if ref not in self._names:
            base = re.sub(r"[^A-Za-z0-9_]+", "_", unquote(ref.rsplit("/", 1)[-1])).strip("_")[:60] or "schema"
            taken, name, number = set(self._names.values()), base, 1
            while name in taken:
                number += 1
                name = f"{base}_{number}"
            self._names[ref] = name
        return self._names[ref]

    def _schema(self, schema: Any, refs: set[str], depth: int) -> Any:
        if depth > DEPTH_MOST:
            raise Unusable("too_deep")
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping):
            return {}
        below = depth + 1
        if "$ref" in schema:
            resolve(self.document, schema["$ref"])
            refs.add(schema["$ref"])
            pointer = {"$ref": f"#/$defs/{self._name(schema['$ref'])}"}
            beside = (
                {} if self.is_draft_4 else self._schema({k: v for k, v in schema.items() if k != "$ref"}, refs, below)
            )
            if isinstance(schema.get("description"), str):
                beside.setdefault("description", schema["description"])
            return {**beside, **pointer}
        made: dict[str, Any] = {}
        self._plain(schema, made)
        for keyword in SUBSCHEMAS:
            if isinstance(schema.get(keyword), Mapping | bool):
                made[keyword] = self._schema(schema[keyword], refs, below)
        items = schema.get("prefixItems", schema.get("items"))
        if isinstance(items, list) and items:
            made["prefixItems"] = [self._schema(item, refs, below) for item in items]
        for keyword in ("allOf", "anyOf", "oneOf"):
            parts = [part for part in _list(schema.get(keyword)) if isinstance(part, Mapping | bool)]
            if parts:
                made[keyword] = [self._schema(part, refs, below) for part in parts]
        for keyword in ("properties", "patternProperties", "dependentSchemas"):
            found = schema.get(keyword)
            if isinstance(found, Mapping):
                made[keyword] = {
                    str(name): self._schema(part, refs, below)
                    for name, part in found.items()
                    if not _is_read_only(part) and (keyword != "patternProperties" or _is_pattern(name))
                }
        self._required(schema, made)
        return self._nullable(schema, made)

    def _plain(self, schema: Mapping[str, Any], made: dict[str, Any]) -> None:
        if types := _types(schema.get("type")):
            made["type"] = types[0] if len(types) == 1 else types
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            made["enum"] = schema["enum"]
        for keyword in ("const", "default"):
            if keyword in schema:
                made[keyword] = schema[keyword]
        for keyword in TEXTS:
            if isinstance(schema.get(keyword), str):
                made[keyword] = schema[keyword]
        if schema.get("type") == "file":
            made["format"] = "binary"
        for keyword in FLAGS:
            if isinstance(schema.get(keyword), bool):
                made[keyword] = schema[keyword]
        if isinstance(schema.get("pattern"), str) and _is_pattern(schema["pattern"]):
            made["pattern"] = schema["pattern"]
        examples = schema.get("examples")
        if isinstance(examples, list) and examples:
            made["examples"] = examples
        elif schema.get("example") is not None:
            made["examples"] = [schema["example"]]
        _copy(schema, made, SIZES, _size)
        _copy(schema, made, NUMBERS, _number)
        for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            # A flag beside the limit in the fourth draft, a limit of its own today.
            if schema.get(exclusive) is True and limit in made:
                made[exclusive] = made.pop(limit)
        if made.get("multipleOf", 1) <= 0:
            del made["multipleOf"]

    def _required(self, schema: Mapping[str, Any], made: dict[str, Any]) -> None:
        names = [name for name in _list(schema.get("required")) if isinstance(name, str)]
        properties = schema.get("properties")
        hidden = (
            {name for name, part in properties.items() if _is_read_only(part)}
            if isinstance(properties, Mapping)
            else set()
        )
        if kept := [name for name in dict.fromkeys(names) if name not in hidden]:
            made["required"] = kept

    def _nullable(self, schema: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
        if not self.is_draft_4 or (schema.get("nullable") is not True and schema.get("x-nullable") is not True):
            return made
        if isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
        if "type" not in made and any(keyword in made for keyword in ("allOf", "anyOf", "oneOf")):
            words = {keyword: made.pop(keyword) for keyword in ("title", "description") if keyword in made}
            return {**words, "anyOf": [made, {"type": "null"}]}
        return made


def bare(schema: Any) -> Any:
    """The schema without what only explains it. Properties that are called like a keyword stay."""
    if isinstance(schema, list):
        return [bare(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    named = ("properties", "patternProperties", "dependentSchemas", "$defs")
    verbatim = ("enum", "const", "required", "default")
    return {
        keyword: {name: bare(part) for name, part in value.items()} if keyword in named
        else value if keyword in verbatim else bare(value)
        for keyword, value in schema.items()
        if keyword not in ("description", "title", "examples", "default")
    }  # fmt: skip


def mapping(value: Any) -> Mapping[str, Any]:
    """The value, or an empty one where it is none."""
    return value if isinstance(value, Mapping) else {}


def _is_read_only(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("readOnly") is True


def _is_pattern(pattern: object) -> bool:
    try:
        re.compile(str(pattern))
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _types(said: Any) -> list[str]:
    names = [OTHER_TYPES.get(str(name).lower(), name) for name in (said if isinstance(said, list) else [said])]
    return [name for name in dict.fromkeys(names) if isinstance(name, str) and name in TYPES]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _copy(
    schema: Mapping[str, Any], made: dict[str, Any], keywords: Iterable[str], read: Callable[[Any], int | float | None]
) -> None:
    for keyword in keywords:
        if (value := read(schema.get(keyword))) is not None:
            made[keyword] = value


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    if found != found or found in (float("inf"), float("-inf")):
        return None
    return value if isinstance(value, int | float) else int(found) if found.is_integer() else found


def _size(value: Any) -> int | None:
    found = _number(value)
    return int(found) if found is not None and found >= 0 and float(found).is_integer() else None
