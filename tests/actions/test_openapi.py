"""What becomes of a document's operations."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from jsonschema import Draft202012Validator

from gptbuilder.actions.openapi import arguments, parsing, reading
from gptbuilder.actions.openapi.types import Operation
from tests.actions.documents import SERVER, api, document, json_body, operation, query

pytest_plugins = ["tests.devdata"]

EVENT = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "minutes": {"type": "integer"}},
    "required": ["title"],
}


def fits(operation: Operation, arguments: dict[str, Any]) -> bool:
    Draft202012Validator.check_schema(operation.schema)
    return Draft202012Validator(operation.schema).is_valid(arguments)


# --- Names and kinds -----------------------------------------------------------------------------


def test_names_are_unique_and_of_what_a_provider_takes():
    long = "listEverythingThatStandsInTheCalendarOfThisPersonAndOfAllTheirFriends"
    paths = {
        "/a": {"get": {"operationId": "list events!"}, "post": {"operationId": "list events?"}},
        "/b/{id}": {"delete": {}},
        "/c": {"get": {"operationId": f"{long}One"}, "put": {"operationId": f"{long}Two"}},
    }

    names = [operation.name for operation in api(paths).operations]

    assert names[:3] == ["list_events", "list_events_2", "delete_b_id"]
    assert len(set(names)) == 5 and max(map(len, names)) <= 64


def test_a_name_does_not_depend_on_what_stands_elsewhere():
    path = f"/{'very-' * 20}long"

    assert operation({}, path=path).name == api({"/a": {"get": {}}, path: {"get": {}}}).operations[1].name


@pytest.mark.parametrize(
    ("method", "said", "expected"),
    [
        ("get", {}, False), ("head", {}, False), ("post", {}, True), ("delete", {}, True),
        ("get", {"x-openai-isConsequential": True}, True), ("post", {"x-openai-isConsequential": False}, False),
        ("post", {"x-openai-isConsequential": "no"}, True),
    ],
)  # fmt: skip
def test_what_changes_something_is_consequential(method: str, said: dict[str, Any], expected: bool):
    assert operation(said, method).is_consequential is expected


# --- Addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("servers", "source", "expected"),
    [
        ([{"url": "https://a.example/v1/"}], "", "https://a.example/v1"),
        ([{"url": "https://{place}.example/{v}", "variables": {"place": {"default": "eu"}, "v": {"enum": ["2"]}}}], "",
         "https://eu.example/2"),
        ([{"url": "/v1"}], "https://a.example/docs/openapi.json", "https://a.example/v1"),
        ([], "https://a.example/openapi.json", "https://a.example"),
        ([{"url": "ftp://a.example"}, {"url": "https://b.example"}], "", "https://b.example"),
    ],
)  # fmt: skip
def test_the_server_is_the_first_that_can_be_reached(servers: list[Any], source: str, expected: str):
    assert operation({}, servers=servers, source_url=source).server == expected


@pytest.mark.parametrize("servers", [[], [{"url": "/v1"}], [{"url": "https://{unknown}.example"}], "nonsense"])
def test_without_an_address_it_cannot_be_called(servers: Any):
    found = operation({}, servers=servers)

    assert found.problem == "no_server" and "address" in found.why_not


def test_an_operation_may_have_a_server_of_its_own():
    found = api(
        {
            "/a": {
                "servers": [{"url": "https://b.example"}],
                "get": {},
                "put": {"servers": [{"url": "https://c.example"}]},
            }
        }
    )

    assert [one.server for one in found.operations] == ["https://b.example", "https://c.example"]


# --- Parameters ----------------------------------------------------------------------------------


def test_parameters_of_the_path_count_for_its_operations_which_may_change_them():
    shared = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    item = {
        "parameters": [shared, query("day")],
        "get": {"parameters": [query("day", {"type": "integer"}, required=True)]},
    }

    found = api({"/events/{id}": item}).operations[0]

    assert [(p.name, p.location) for p in found.parameters] == [("id", "path"), ("day", "query")]
    assert fits(found, {"id": "a", "day": 1})
    assert not fits(found, {"id": "a", "day": "1"}) and not fits(found, {"id": "a"})


def test_what_the_path_names_and_nobody_describes_is_a_text():
    assert fits(operation({}, path="/events/{id}"), {"id": "a"})


def test_styles_have_their_defaults():
    said = {
        "parameters": [
            query("a"), query("b", {"type": "array"}, style="pipeDelimited"),
            query("c", {"type": "object"}, style="deepObject"),
            {"name": "d", "in": "header", "schema": {"type": "array"}}, query("e", explode=False, allowReserved=True),
        ]
    }  # fmt: skip

    sent = {p.name: (p.style, p.explode, p.allow_reserved) for p in operation(said).parameters}

    assert sent == {
        "a": ("form", True, False), "b": ("pipeDelimited", False, False), "c": ("deepObject", False, False),
        "d": ("simple", False, False), "e": ("form", False, True),
    }  # fmt: skip


def test_a_parameter_may_be_json():
    said = {"parameters": [{"name": "filter", "in": "query", "content": {"application/json": {"schema": EVENT}}}]}

    found = operation(said)

    assert found.parameters[0].media_type == "application/json"
    assert fits(found, {"filter": {"title": "x"}}) and not fits(found, {"filter": "x"})


def test_names_that_no_provider_takes_are_spelled_otherwise():
    found = operation({"parameters": [query("filter[day]"), query("$select")]})

    assert [(p.name, p.argument) for p in found.parameters] == [("filter[day]", "filter_day"), ("$select", "select")]


@pytest.mark.parametrize(
    "name", ["Authorization", "host", "X-Forwarded-For", "Cookie", "Sec-Fetch-Site", "Content-Type"]
)
def test_a_model_sets_no_header_that_says_who_somebody_is(name: str):
    said = {"parameters": [{"name": name, "in": "header", "required": True, "schema": {"type": "string"}}, query()]}

    assert [p.name for p in operation(said).parameters] == ["day"]


def test_a_key_is_filled_in_by_who_connects_the_api():
    schemes = {"key": {"type": "apiKey", "in": "query", "name": "token"}, "login": {"type": "http", "scheme": "Bearer"}}
    found = api(
        {"/a": {"get": {"parameters": [query("token"), query("day")], "security": [{"key": []}]}}},
        components={"securitySchemes": schemes},
    )

    assert [p.name for p in found.operations[0].parameters] == ["day"]
    assert found.operations[0].schemes == ("key",)
    assert [(s.kind, s.location, s.parameter) for s in found.schemes] == [("key", "query", "token"), ("bearer", "", "")]


# --- Bodies --------------------------------------------------------------------------------------


def test_the_properties_of_a_body_stand_beside_the_parameters():
    found = operation({"parameters": [query()], **json_body(EVENT)}, "post")

    assert found.body and [field.name for field in found.body.fields] == ["title", "minutes"]
    assert fits(found, {"title": "Lunch", "day": "today"})
    assert not fits(found, {"day": "today"}) and not fits(found, {"title": "Lunch", "more": 1})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "string"}},
        {**EVENT, "additionalProperties": {"type": "string"}},
        {"oneOf": [EVENT, {"type": "string"}]},
        {**EVENT, "properties": {**EVENT["properties"], "day": {"type": "string"}}},
    ],
)
def test_a_body_that_cannot_be_taken_apart_is_one_argument(schema: dict[str, Any]):
    found = operation({"parameters": [query()], **json_body(schema)}, "post")

    assert found.body and found.body.argument == "body" and not found.body.fields
    assert not fits(found, {"day": "today"})


def test_fields_that_would_be_spelled_alike_are_kept_apart():
    schema = {"type": "object", "properties": {"a[b]": {"type": "string"}, "a_b": {"type": "integer"}}}

    found = operation(json_body(schema), "post")

    assert found.body and [field.name for field in found.body.fields] == ["a[b]", "a_b"]
    first, second = (field.argument for field in found.body.fields)
    assert first != second
    assert fits(found, {first: "x", second: 1}) and not fits(found, {first: 1}) and not fits(found, {second: "x"})


def test_a_body_that_may_be_left_out_stays_whole():
    found = operation(json_body(EVENT, required=False), "post")

    assert fits(found, {}) and fits(found, {"body": {"title": "x"}}) and not fits(found, {"body": {}})


@pytest.mark.parametrize(
    ("kinds", "chosen"),
    [
        (["application/xml", "application/json"], "application/json"),
        (["multipart/form-data", "application/vnd.api+json"], "application/vnd.api+json"),
        (["application/json; charset=utf-8"], "application/json"),
        (["*/*"], "application/json"),
        (["text/plain"], "text/plain"),
    ],
)
def test_json_is_sent_where_it_is_taken(kinds: list[str], chosen: str):
    content = {kind: {"schema": {"type": "object", "additionalProperties": True}} for kind in kinds}

    found = operation({"requestBody": {"content": content, "required": True}}, "post")

    assert found.body and found.body.media_type == chosen


def test_what_nobody_here_can_write_is_named():
    found = operation(json_body({"type": "string"}, kind="application/octet-stream"), "post")

    assert (found.problem, found.detail) == ("media_type", "application/octet-stream")


def test_files_of_a_form_are_named_files_of_the_conversation():
    schema = {
        "type": "object",
        "properties": {
            "photo": {"type": "string", "format": "binary"},
            "more": {"type": "array", "items": {"type": "string", "format": "binary"}},
            "caption": {"type": "string"},
        },
    }

    found = operation(json_body(schema, kind="multipart/form-data"), "post")

    assert found.body and [field.is_file for field in found.body.fields] == [True, True, False]
    assert fits(found, {"photo": "lake.jpg", "more": ["a.jpg"], "caption": "At the lake"})


# --- Schemas -------------------------------------------------------------------------------------


def test_references_stay_and_a_cycle_is_harmless():
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}, "name": {"type": "string"}}}
    found = operation(
        json_body({"$ref": "#/components/schemas/Node"}),
        "post",
        components={"schemas": {"Node": node, "Unused": EVENT}},
    )

    assert list(found.schema["$defs"]) == ["Node"]
    assert fits(found, {"name": "a", "next": {"name": "b", "next": {"name": "c"}}})
    assert not fits(found, {"next": {"name": 1}})


def test_definitions_of_one_name_are_kept_apart():
    parts = {"schemas": {"A": {"x": {"type": "string"}}}, "others": {"x": {"type": "integer"}}}
    said = {
        "parameters": [query("a", {"$ref": "#/components/schemas/A/x"}), query("b", {"$ref": "#/components/others/x"})]
    }

    found = operation(said, components=parts)

    assert fits(found, {"a": "1", "b": 1}) and not fits(found, {"a": 1}) and not fits(found, {"b": "1"})


@pytest.mark.parametrize(
    ("ref", "code"),
    [
        ("#/components/schemas/Gone", "broken_ref"),
        ("https://a.example/schema.json#/A", "remote_ref"),
        ("other.yaml", "remote_ref"),
    ],
)
def test_an_operation_that_stands_in_another_document_is_none_here(ref: str, code: str):
    assert operation({"$ref": ref}).problem == code


@pytest.mark.parametrize(
    ("ref", "code"), [("#/components/schemas/Gone", "broken_ref"), ("other.yaml#/get", "remote_ref")]
)
def test_a_reference_that_leads_nowhere_costs_only_its_operation(ref: str, code: str):
    found = api({"/a": {"get": {"parameters": [query("x", {"$ref": ref})]}, "put": {}}}).operations

    assert [(one.method, one.problem) for one in found] == [("GET", code), ("PUT", "")]


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "string", "nullable": True}, None, 1),
        ({"type": "string", "enum": ["a"], "nullable": True}, None, "b"),
        ({"allOf": [{"type": "string"}], "nullable": True}, None, 1),
        ({"type": "integer", "minimum": 3, "exclusiveMinimum": True}, 4, 3),
        ({"type": "number", "maximum": "10"}, 10, 11),
        ({"type": "int"}, 1, "1"),
        ({"type": "string", "pattern": "^a+$"}, "aa", "b"),
        ({"type": "array", "items": [{"type": "string"}]}, ["a"], [1]),
    ],
)
def test_older_and_looser_words_mean_what_they_meant(schema: dict[str, Any], good: Any, bad: Any):
    found = operation({"parameters": [query("x", schema)]})

    assert fits(found, {"x": good}) and not fits(found, {"x": bad})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "[", "format": 3, "minLength": -1, "enum": [], "title": 1, "required": True},
        {"type": "anything", "multipleOf": 0, "properties": [], "allOf": [], "maxItems": "many"},
        {"type": "object", "patternProperties": {"[": {}}, "discriminator": {"propertyName": "x"}, "xml": {}, "not": 1},
    ],
)
def test_nonsense_is_left_out(schema: dict[str, Any]):
    Draft202012Validator.check_schema(operation({"parameters": [query("x", schema)]}).schema)


def test_what_only_the_service_writes_is_not_asked_of_the_model():
    schema = {
        **EVENT,
        "properties": {**EVENT["properties"], "id": {"type": "string", "readOnly": True}},
        "required": ["id", "title"],
    }

    found = operation(json_body(schema), "post")

    assert "id" not in found.schema["properties"] and fits(found, {"title": "x"})


def test_a_schema_without_bottom_is_refused():
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(200):
        schema = {"type": "array", "items": schema}

    assert operation({"parameters": [query("x", schema)]}).problem == "too_deep"


def test_a_schema_that_is_too_large_loses_its_explanations_first():
    wordy = {f"p{n}": {"type": "string", "description": "x" * 2000} for n in range(100)}
    huge = {f"property_number_{n}": {"type": "string"} for n in range(5000)}

    found = operation(json_body({"type": "object", "properties": wordy}), "post")

    assert not found.problem and fits(found, {"p1": "x"})
    assert len(json.dumps(found.schema)) < arguments.SCHEMA_BYTES
    assert operation(json_body({"type": "object", "properties": huge}), "post").problem == "too_large"


# --- Swagger 2.0 ---------------------------------------------------------------------------------


def swagger(paths: dict[str, Any], **more: Any) -> Operation:
    text = json.dumps({"swagger": "2.0", "info": {}, "host": "a.example", "basePath": "/v1", "paths": paths, **more})
    return reading.read(parsing.parse(text.encode())).operations[0]


def test_swagger_has_its_own_words():
    listed = [
        {"name": "tags", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "pipes"},
        {"name": "more", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "multi"},
        {"name": "event", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Event"}},
    ]

    found = swagger({"/a": {"post": {"parameters": listed}}}, definitions={"Event": EVENT}, schemes=["http", "https"])

    assert found.server == "https://a.example/v1"
    assert [(p.style, p.explode) for p in found.parameters] == [("pipeDelimited", False), ("form", True)]
    assert found.body and found.body.media_type == "application/json"
    assert fits(found, {"tags": ["a"], "title": "x"}) and not fits(found, {"tags": ["a"]})


def test_forms_of_swagger():
    listed = [
        {"name": "photo", "in": "formData", "type": "file", "required": True},
        {"name": "caption", "in": "formData", "type": "string"},
    ]

    with_file, without = (
        swagger({"/a": {"post": {"parameters": listed}}}),
        swagger({"/a": {"post": {"parameters": listed[1:]}}}),
    )

    assert with_file.body and with_file.body.media_type == "multipart/form-data" and with_file.body.fields[0].is_file
    assert without.body and without.body.media_type == "application/x-www-form-urlencoded"
    assert not fits(with_file, {"caption": "x"})


# --- Answers for a dry run -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ({"example": {"a": 1}}, {"a": 1}),
        ({"examples": {"one": {"value": [1]}}}, [1]),
        ({"schema": {"type": "array", "items": EVENT}}, [{"title": "text", "minutes": 1}]),
        ({"schema": {"allOf": [EVENT, {"type": "object", "properties": {"id": {"example": "e1"}}}]}},
         {"title": "text", "minutes": 1, "id": "e1"}),
        ({"schema": {"type": "string", "format": "date"}}, "2026-01-31"),
        ({"schema": {"enum": ["b", "a"]}}, "b"),
    ],
)  # fmt: skip
def test_an_answer_is_made_up_from_what_the_document_says(media: dict[str, Any], expected: Any):
    said = {"responses": {"404": {}, "200": {"description": "ok", "content": {"application/json": media}}}}

    assert operation(said).example == expected


def test_an_answer_that_contains_itself_ends():
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}
    said = {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}}}}

    assert operation(said, components={"schemas": {"Node": node}}).example["next"]["next"]


# --- Documents of others, and the command --------------------------------------------------------


def test_every_document_is_read_or_refused_with_its_line(devdata: Path):
    folders = (devdata / "openapi", devdata / "actions" / "openapi")
    files = [
        file for folder in folders for file in sorted(folder.iterdir()) if file.suffix in (".json", ".yaml", ".yml")
    ]
    refused: dict[str, int | None] = {}
    problems: dict[str, int] = {}
    for file in files:
        if file.name == "manifest.json":
            continue
        try:
            found = reading.read(parsing.parse(file.read_bytes()), "https://source.example/openapi")
        except parsing.NotReadable as error:
            refused[file.name] = error.line
            continue
        assert found.operations, file.name
        assert len({one.name for one in found.operations}) == len(found.operations)
        for one in found.operations:
            Draft202012Validator.check_schema(one.schema)
            if one.problem:
                problems[one.problem] = problems.get(one.problem, 0) + 1

    assert refused == {"ammonfife__gpt-github-oauth-device__openapi.json": 58}
    # One of them has its operations in files of its own.
    assert problems.pop("remote_ref") == 659
    assert sum(problems.values()) < 40 and set(problems) <= {"media_type", "broken_ref", "body"}


def test_the_command_shows_what_could_be_called(tmp_path: Path):
    file, out = tmp_path / "api.json", StringIO()
    file.write_text(json.dumps(document({"/events": {"get": {"operationId": "list", "parameters": [query()]}}})))

    call_command("import_openapi", str(file), json=True, stdout=out)

    assert json.loads(out.getvalue())["operations"][0] == {
        "method": "GET", "path": "/events", "name": "list", "server": SERVER, "is_consequential": False, "problem": "",
        "parameters": {"type": "object", "properties": {"day": {"type": "string"}}, "additionalProperties": False},
    }  # fmt: skip


def test_the_command_names_the_line_of_what_is_broken(tmp_path: Path):
    file = tmp_path / "api.yaml"
    file.write_text("openapi: 3.0.0\npaths: [1, 2\ninfo: x\n")

    with pytest.raises(CommandError, match=r"api\.yaml:3: "):
        call_command("import_openapi", str(file))
