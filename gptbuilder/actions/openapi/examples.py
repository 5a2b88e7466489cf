"""Made-up answers, for a dry run that sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gptbuilder.actions.openapi.schemas import followed
from gptbuilder.actions.openapi.types import Unusable

DEPTH_MOST = 6
PROPERTIES_MOST = 30
BY_FORMAT = {
    "date": "2026-01-31", "date-time": "2026-01-31T09:30:00Z", "time": "09:30:00", "email": "name@example.com",
    "uri": "https://example.com", "url": "https://example.com", "uuid": "123e4567-e89b-12d3-a456-426614174000",
    "ipv4": "192.0.2.1", "hostname": "example.com",
}  # fmt: skip


class Examples:
    """Of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def of_operation(self, operation: Mapping[str, Any], *, is_swagger: bool) -> Any:
        """What the first good answer could be; None when the document does not say."""
        responses = operation.get("responses")
        if not isinstance(responses, Mapping):
            return None
        codes = [*sorted(str(code) for code in responses if str(code).startswith("2")), "default"]
        for code in codes:
            try:
                response = followed(
                    self._document, responses.get(code, responses.get(int(code) if code.isdigit() else code))
                )
                media = response if is_swagger else self._json(response)
                if isinstance(media, Mapping):
                    return self._of_media(media)
            except Unusable:
                continue
        return None

    def of(self, schema: Any, depth: int = 0) -> Any:
        """A value that fits the schema, always the same. Raises Unusable."""
        schema = followed(self._document, schema)
        if not isinstance(schema, Mapping) or depth > DEPTH_MOST:
            return None
        for keyword in ("example", "default", "const"):
            if keyword in schema:
                return schema[keyword]
        for keyword in ("examples", "enum"):
            if isinstance(schema.get(keyword), list) and schema[keyword]:
                return schema[keyword][0]
        for keyword in ("oneOf", "anyOf"):
            if isinstance(schema.get(keyword), list) and schema[keyword]:
                return self.of(schema[keyword][0], depth + 1)
        if isinstance(schema.get("allOf"), list) and schema["allOf"]:
            return self._together([self.of(part, depth + 1) for part in schema["allOf"]])
        return self._of_type(schema, depth)

    def _of_type(self, schema: Mapping[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        kind = next((one for one in kind if one != "null"), None) if isinstance(kind, list) else kind
        if kind == "object" or isinstance(schema.get("properties"), Mapping):
            properties = schema.get("properties")
            named = list(properties.items())[:PROPERTIES_MOST] if isinstance(properties, Mapping) else []
            return {str(name): self.of(part, depth + 1) for name, part in named}
        if kind == "array":
            item = self.of(schema.get("items", {}), depth + 1)
            return [] if item is None else [item]
        simple = {
            "string": BY_FORMAT.get(str(schema.get("format")), "text"),
            "integer": 1,
            "number": 1.5,
            "boolean": True,
        }
        return simple.get(str(kind))

    def _together(self, values: list[Any]) -> Any:
        objects = [value for value in values if isinstance(value, Mapping)]
        if objects:
            return {name: value for one in objects for name, value in one.items()}
        return values[0] if values else None

    def _json(self, response: Any) -> Any:
        content = response.get("content") if isinstance(response, Mapping) else None
        if not isinstance(content, Mapping):
            return None
        kinds = sorted(content, key=lambda kind: "json" not in str(kind))
        return content[kinds[0]] if kinds else None

    def _of_media(self, media: Mapping[str, Any]) -> Any:
        if "example" in media:
            return media["example"]
        named = media.get("examples")
        if isinstance(named, Mapping) and named:
            first = followed(self._document, next(iter(named.values())))
            return first.get("value") if isinstance(first, Mapping) and "value" in first else first
        return self.of(media["schema"]) if "schema" in media else None
