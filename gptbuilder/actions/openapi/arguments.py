"""The arguments of one operation, gathered from its parameters and its body, and how each is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from gptbuilder.actions.openapi import schemas
from gptbuilder.actions.openapi.schemas import Translator, followed, mapping
from gptbuilder.actions.openapi.types import Body, Field, Location, Parameter, Unusable

SCHEMA_BYTES = 100_000
STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
COLLECTIONS = {"csv": "form", "ssv": "spaceDelimited", "tsv": "tabDelimited", "pipes": "pipeDelimited", "multi": "form"}
# The media types that can be sent, the best first.
SENT = (
    re.compile("application/json"), re.compile(r".*\+json|text/json|\*/\*|application/\*"),
    re.compile("application/x-www-form-urlencoded"), re.compile("multipart/form-data"), re.compile("text/.*"),
)  # fmt: skip
ARGUMENT = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# A body that says one of these cannot be taken apart without losing something.
WHOLE = (
    "allOf", "anyOf", "oneOf", "not", "if", "patternProperties", "propertyNames", "minProperties", "maxProperties",
    "dependentSchemas", "unevaluatedProperties", "enum", "const",
)  # fmt: skip


class Arguments:
    """Of one operation."""

    def __init__(self, document: Mapping[str, Any], translator: Translator, *, is_swagger: bool) -> None:
        self._document = document
        self._translator = translator
        self._is_swagger = is_swagger
        self.parameters: list[Parameter] = []
        self.properties: dict[str, Any] = {}
        self.required: list[str] = []
        self.refs: set[str] = set()

    def add_parameter(self, said: Mapping[str, Any]) -> None:
        location = cast("Location", said["in"])
        name = said["name"]
        is_required = said.get("required") is True or location == "path"
        argument = self._free(name, location)
        media_type, schema = "", said.get("schema")
        if isinstance(said.get("content"), Mapping) and said["content"]:
            media_type, media = chosen(said["content"])
            schema = media.get("schema", {})
        elif schema is None:
            schema = of_swagger(said)
        translated = self._translated(schema, said.get("description"))
        sent = collection(said) if "collectionFormat" in said or self._is_swagger else said
        style, explode = _style(sent, STYLES[location])
        reserved = said.get("allowReserved") is True
        self.parameters.append(Parameter(name, argument, location, style, explode, reserved, media_type))
        self._put(argument, translated, is_required=is_required)

    def add_body(self, media_type: str, schema: Any, is_required: bool, encoding: Mapping[str, Any]) -> Body:
        inside = followed(self._document, schema)
        is_form = media_type in ("multipart/form-data", "application/x-www-form-urlencoded")
        if isinstance(inside, Mapping) and self._comes_apart(inside, is_required, is_form=is_form):
            translated = self._translator.translate(inside, self.refs)
            known = {"$defs": self._translator.definitions(self.refs)}
            fields: list[Field] = []
            for name, part in translated["properties"].items():
                field = self._field(name, followed(known, part), mapping(encoding.get(name)))
                fields.append(field)
                told = _told_as_file(part) if field.is_file else part
                self._put(field.argument, told, is_required=name in translated.get("required", []))
            return Body(media_type, tuple(fields))
        if is_form:
            raise Unusable("body")
        argument = self._free("body", "data")
        self._put(argument, self._translated(schema, None), is_required=is_required)
        return Body(media_type, argument=argument)

    def _comes_apart(self, schema: Mapping[str, Any], is_required: bool, *, is_form: bool) -> bool:
        """Whether its properties may stand beside the parameters: then the model has less to nest, and nothing is
        lost."""
        properties = schema.get("properties")
        if not isinstance(properties, Mapping) or not properties or schema.get("type", "object") != "object":
            return False
        if is_form:
            return True
        if any(keyword in schema for keyword in WHOLE) or schema.get("nullable") is True:
            return False
        if schema.get("additionalProperties") not in (None, False) or set(map(str, properties)) & set(self.properties):
            return False
        return is_required or not schema.get("required")

    def _field(self, name: str, schema: Any, encoding: Mapping[str, Any]) -> Field:
        style, explode = _style(encoding, "form")
        media_type = str(encoding.get("contentType", "")).split(",")[0].strip()
        return Field(name, self._free(name, "data"), style, explode, media_type, _is_file(schema))

    def schema(self) -> dict[str, Any]:
        """Of all arguments together. Raises Unusable."""
        made: dict[str, Any] = {"type": "object", "properties": self.properties, "additionalProperties": False}
        if self.required:
            made["required"] = self.required
        if definitions := self._translator.definitions(self.refs):
            made["$defs"] = definitions
        if _size(made) > SCHEMA_BYTES:
            made = schemas.bare(made)
        if _size(made) > SCHEMA_BYTES:
            raise Unusable("too_large")
        return made

    def _translated(self, schema: Any, description: Any) -> Any:
        made = self._translator.translate(schema if schema is not None else {}, self.refs)
        if isinstance(made, Mapping) and isinstance(description, str) and "description" not in made:
            return {**made, "description": description}
        return made

    def _put(self, argument: str, schema: Any, *, is_required: bool) -> None:
        self.properties[argument] = schema
        if is_required:
            self.required.append(argument)

    def _free(self, name: str, location: str) -> str:
        """A name for the argument that no other has and every provider takes."""
        clean = name if ARGUMENT.fullmatch(name) else re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_")[:64] or "value"
        for free in (clean, f"{clean[:55]}_{location}", *(f"{clean[:60]}_{number}" for number in range(2, 100))):
            if free not in self.properties and free not in (parameter.argument for parameter in self.parameters):
                return free
        raise Unusable("parameter", name[:80])


def chosen(content: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The media type that is sent, of those that are taken. Raises Unusable."""
    found = {str(kind).split(";")[0].strip().lower(): media for kind, media in content.items()}
    chosen = next((kind for way in SENT for kind in found if way.fullmatch(kind)), None)
    if chosen is None:
        raise Unusable("media_type", ", ".join(found)[:200])
    return "application/json" if "*" in chosen else chosen, mapping(found[chosen])


def of_swagger(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """The schema that stands in the parameter itself."""
    return {k: v for k, v in parameter.items() if k not in ("name", "in", "required", "style", "explode")}


def collection(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """Swagger's words for how a list is sent, in those of OpenAPI 3."""
    kind = str(parameter.get("collectionFormat", "csv"))
    style = COLLECTIONS.get(kind, "form") if parameter.get("in") in ("query", "formData") else None
    return {"style": style, "explode": kind == "multi"}


def _style(said: Mapping[str, Any], default: str) -> tuple[str, bool]:
    """How a value is written, and whether its parts stand alone."""
    style = said["style"] if isinstance(said.get("style"), str) else default
    return style, said["explode"] if isinstance(said.get("explode"), bool) else style == "form"


def _is_file(schema: Any) -> bool:
    return isinstance(schema, Mapping) and (
        schema.get("format") == "binary"
        or (schema.get("type") == "array" and _is_file(schema.get("items")))
        or str(schema.get("contentMediaType", "")).startswith(("application/octet-stream", "image/", "audio/"))
    )


def _told_as_file(schema: Any) -> dict[str, Any]:
    description = schema.get("description", "") if isinstance(schema, Mapping) else ""
    named = {"type": "string", "description": f"The name of a file of this conversation. {description}".strip()}
    is_list = isinstance(schema, Mapping) and schema.get("type") == "array"
    return {"type": "array", "items": named} if is_list else named


def _size(schema: Any) -> int:
    return len(json.dumps(schema, default=str))
