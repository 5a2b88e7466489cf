"""Small OpenAPI documents."""

from __future__ import annotations

import json
from typing import Any

from gptbuilder.actions.openapi import parsing, reading
from gptbuilder.actions.openapi.types import Api, Operation

SERVER = "https://api.example.com/v1"


def document(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "openapi": "3.0.3",
        "info": {"title": "Calendar", "version": "1"},
        "servers": [{"url": SERVER}],
        "paths": paths,
        **more,
    }


def api(paths: dict[str, Any], source_url: str = "", **more: Any) -> Api:
    return reading.read(parsing.parse(json.dumps(document(paths, **more)).encode()), source_url)


def operation(said: dict[str, Any], method: str = "get", path: str = "/events", **more: Any) -> Operation:
    """The only operation of a document."""
    return api({path: {method: said}}, **more).operations[0]


def query(name: str = "day", schema: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema or {"type": "string"}, **more}


def json_body(schema: dict[str, Any], *, required: bool = True, kind: str = "application/json") -> dict[str, Any]:
    return {"requestBody": {"required": required, "content": {kind: {"schema": schema}}}}
