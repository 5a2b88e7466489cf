"""From a model's arguments to a request, and from the answer to what the model is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptbuilder.actions import calling, requests
from gptbuilder.actions.openapi.types import Operation
from gptbuilder.actions.requests import Credentials, File, prepare
from gptbuilder.agent.tool import Outcome, ToolOutput, perform
from gptbuilder.gateway.types import ToolCall
from gptbuilder.lib.safe_http.client import Client, Response
from gptbuilder.lib.safe_http.errors import NotReached, Unreachable
from tests.actions.documents import SERVER, api, json_body, operation, query
from tests.actions.echo import Echo, echoing

pytest_plugins = ["tests.devdata"]


@pytest.fixture
def echo() -> Iterator[Echo]:
    with echoing() as server:
        yield server


@pytest.fixture
def client(echo: Echo) -> Iterator[Client]:
    with echo.client() as client:
        yield client


def sent(said: dict[str, Any], value: Any, location: str = "query", path: str = "/x/{a}") -> str:
    """What stands in the address for one parameter called a."""
    whole = {"name": "a", "in": location, "required": True, "schema": {}, **said}
    found = operation({"parameters": [whole]}, path=path if location == "path" else "/x")
    return prepare(found, {"a": value}).url.removeprefix(f"{SERVER}/x").lstrip("/?")


# The table of OpenAPI 3 on styles, with what it says for these values.
TEXT, LIST, OBJECT = "blue", ["blue", "black", "brown"], {"R": 100, "G": 200, "B": 150}


@pytest.mark.parametrize(
    ("location", "style", "explode", "expected"),
    [
        ("path", "simple", False, ("blue", "blue,black,brown", "R,100,G,200,B,150")),
        ("path", "simple", True, ("blue", "blue,black,brown", "R=100,G=200,B=150")),
        ("path", "label", False, (".blue", ".blue,black,brown", ".R,100,G,200,B,150")),
        ("path", "label", True, (".blue", ".blue.black.brown", ".R=100.G=200.B=150")),
        ("path", "matrix", False, (";a=blue", ";a=blue,black,brown", ";a=R,100,G,200,B,150")),
        ("path", "matrix", True, (";a=blue", ";a=blue;a=black;a=brown", ";R=100;G=200;B=150")),
        ("query", "form", False, ("a=blue", "a=blue,black,brown", "a=R,100,G,200,B,150")),
        ("query", "form", True, ("a=blue", "a=blue&a=black&a=brown", "R=100&G=200&B=150")),
        ("query", "spaceDelimited", False, ("a=blue", "a=blue%20black%20brown", "a=R,100,G,200,B,150")),
        ("query", "pipeDelimited", False, ("a=blue", "a=blue%7Cblack%7Cbrown", "a=R,100,G,200,B,150")),
        ("query", "deepObject", True, ("a=blue", "a=blue&a=black&a=brown", "a%5BR%5D=100&a%5BG%5D=200&a%5BB%5D=150")),
    ],
)
def test_every_style_is_written_as_the_standard_says(
    location: str, style: str, explode: bool, expected: tuple[str, ...]
):
    said = {"style": style, "explode": explode}

    assert tuple(sent(said, value, location) for value in (TEXT, LIST, OBJECT)) == expected


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a b&c=d/e?f#g", "a%20b%26c%3Dd%2Fe%3Ff%23g"), ("湖", "%E6%B9%96"), (True, "true"), (1.50, "1.5"), ("", ""),
        ("../../admin", "..%2F..%2Fadmin"),
    ],
)  # fmt: skip
def test_a_value_is_never_a_part_of_the_address(value: Any, written: str):
    assert sent({}, value) == f"a={written}"
    assert sent({}, value, "path") == written


@pytest.mark.parametrize("dots", [".", ".."])
def test_dots_lead_nowhere_else(dots: str):
    assert sent({}, dots, "path") == dots.replace(".", "%2E")


def test_what_may_stay_reserved_does():
    assert sent({"allowReserved": True}, "a/b?c:d&e=f#g+h") == "a=a/b?c:d%26e%3Df%23g%2Bh"


def test_a_parameter_that_is_json_is_written_as_json():
    said = {"schema": None, "content": {"application/json": {"schema": {}}}}

    assert unquote(sent(said, {"a": [1, None]})) == 'a={"a":[1,null]}'


def test_what_was_left_out_is_not_sent():
    found = operation({"parameters": [query("a"), query("b")]})

    assert prepare(found, {}).url == f"{SERVER}/events"
    assert prepare(found, {"b": None, "a": "1"}).url.endswith("?a=1")


def test_headers_and_cookies_are_lines():
    said = {
        "parameters": [
            {"name": name, "in": place, "schema": {}} for name, place in (("X-Day", "header"), ("c", "cookie"))
        ]
    }

    request = prepare(operation(said), {"X-Day": "Monday\r\nX-Evil: 1", "c": "a;b"})

    assert request.headers["x-day"] == "MondayX-Evil: 1"
    assert request.headers["cookie"] == "c=a%3Bb"


@pytest.mark.parametrize(
    ("credentials", "place", "expected"),
    [
        (Credentials("bearer", "s3cret\r\nX: 1"), "authorization", "Bearer s3cretX: 1"),
        (Credentials("basic", "ada:s3cret"), "authorization", "Basic YWRhOnMzY3JldA=="),
        (Credentials("header", "s3cret", "X-Api-Key"), "x-api-key", "s3cret"),
        (Credentials("cookie", "s3cret", "key"), "cookie", "key=s3cret"),
    ],
)
def test_credentials_stand_where_they_belong(credentials: Credentials, place: str, expected: str):
    assert prepare(operation({}), {}, credentials).headers[place] == expected


def test_no_argument_takes_the_place_of_a_key():
    said = {"parameters": [query("token"), {"name": "X-Api-Key", "in": "header", "schema": {}}]}
    found = operation(said)

    by_query = prepare(found, {"token": "theirs"}, Credentials("query", "ours", "token"))
    by_header = prepare(found, {"X-Api-Key": "theirs"}, Credentials("header", "ours", "X-Api-Key"))

    assert by_query.url.endswith("?token=ours")
    assert by_header.headers["x-api-key"] == "ours"


# --- Data ------------------------------------------------------------------------------------------

FORM = {
    "type": "object",
    "properties": {
        "text": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}},
        "place": {"type": "object"}, "photo": {"type": "string", "format": "binary"},
    },
}  # fmt: skip


def test_a_form_is_written_as_a_form():
    found = operation(json_body(FORM, kind="application/x-www-form-urlencoded"), "post")

    request = prepare(found, {"text": "a b&c", "tags": ["x", "y"]})

    assert request.content == b"text=a%20b%26c&tags=x&tags=y"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_parts_of_a_form_and_a_file():
    found = operation(json_body(FORM, kind="multipart/form-data"), "post")
    files = {"lake.jpg": File('la"ke\r\n.jpg', "image/jpeg", b"\xff\xd8\r\n--")}

    request = prepare(found, {"text": "hi", "tags": ["x", "y"], "place": {"a": 1}, "photo": "lake.jpg"}, files=files)

    boundary = request.headers["content-type"].removeprefix("multipart/form-data; boundary=").encode()
    parts = request.content.split(b"--" + boundary)
    assert len(parts) == 7 and parts[0] == b"" and parts[-1] == b"--\r\n"
    assert parts[1] == b'\r\nContent-Disposition: form-data; name="text"\r\n\r\nhi\r\n'
    assert b'Content-Type: application/json\r\n\r\n{"a":1}' in parts[4]
    assert b'filename="la%22ke%0D%0A.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\r\n--' in parts[5]


def test_a_file_that_is_not_there_is_named_and_nothing_is_sent(echo: Echo, client: Client):
    found = operation(json_body(FORM, kind="multipart/form-data"), "post", servers=[{"url": echo.url}])

    result = calling.call(client, found, {"photo": "gone.jpg"})

    assert (result.code, result.was_sent, echo.heard) == ("file", False, [])
    assert "gone.jpg" in result.text


def test_text_is_sent_as_text():
    found = operation(json_body({"type": "string"}, kind="text/plain"), "post")

    assert prepare(found, {"body": "湖"}).content == "湖".encode()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_arrives_as_it_was(value: Any):
    found = operation(json_body({}), "post")

    assert json.loads(prepare(found, {"body": value}).content) == value


# --- Calling ---------------------------------------------------------------------------------------


def get(echo: Echo) -> calling.Result:
    with echo.client() as client:
        return calling.call(client, operation({}, servers=[{"url": echo.url}]), {})


def test_json_comes_back_without_its_blanks(echo: Echo):
    echo.replies = [(200, "application/json", b'{ "a" :\n [1, "\xe6\xb9\x96"] }')]

    assert get(echo).text == '{"a":[1,"湖"]}'


def test_a_long_answer_is_cut_and_says_so(echo: Echo):
    echo.replies = [(200, "text/plain", b"x" * 150_000), (200, "text/plain", "湖".encode() * 1_000_000)]

    for _ in range(2):
        text = get(echo).text
        assert text.endswith(calling.CUT) and len(text) == calling.TEXT_LETTERS + len(calling.CUT)


@pytest.mark.parametrize(
    ("kind", "body"),
    [("image/png", b"\x89PNG"), ("application/json", b"\xff\xfe"), ("text/plain", b"a\0b"), ("", b"\xff\x00")],
)
def test_what_is_no_text_is_named(echo: Echo, kind: str, body: bytes):
    echo.replies = [(200, kind, body)]

    assert "cannot be shown as text" in get(echo).text


def test_a_refusal_of_the_service_is_told(echo: Echo):
    echo.replies = [(403, "application/json", b'{"error": "no"}'), (204, "text/plain", b"")]

    refused, empty = get(echo), get(echo)

    assert refused.is_error and refused.status == 403 and '{"error":"no"}' in refused.text
    assert not empty.is_error and "204" in empty.text


def test_what_cannot_be_reached_was_not_sent():
    with Client() as client:
        result = calling.call(client, operation({}, "post", servers=[{"url": "http://10.0.0.1"}]), {})

    assert (result.code, result.was_sent, result.is_error) == ("refused", False, True)


class Scripted(Client):
    """What the connection does, fetch by fetch."""

    def __init__(self, *outcomes: Exception | Response) -> None:
        self.outcomes = list(outcomes)

    def fetch(self, url: str, method: str = "GET", **_: Any) -> Response:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.mark.parametrize(
    ("method", "was_sent", "again"),
    [("get", True, True), ("put", True, True), ("post", True, False), ("patch", True, False), ("post", False, True)],
)
def test_only_what_does_no_harm_twice_is_tried_twice(method: str, was_sent: bool, again: bool):
    broken = Unreachable("x") if was_sent else NotReached("x")

    result = calling.call(Scripted(broken, Response(200, {}, b"ok", False, SERVER)), operation({}, method), {})

    assert (result.status == 200) is again
    assert result.was_sent


def test_what_changes_something_is_sent_nowhere_else(echo: Echo, client: Client):
    redirect = (302, "text/plain", b"")
    echo.replies = [redirect, (200, "text/plain", b"there"), redirect]
    echo.location = "/elsewhere"
    found = api({"/a": {"post": {}, "get": {}}}, servers=[{"url": echo.url}]).operations

    results = {one.method: calling.call(client, one, {}) for one in found}

    assert results["POST"].status == 302
    assert results["GET"].status == 200
    assert [(said["method"], said["path"]) for said in echo.heard] == [
        ("GET", "/a"),
        ("GET", "/elsewhere"),
        ("POST", "/a"),
    ]


# --- Calls of others, replayed -----------------------------------------------------------------------


class Called:
    """An operation as a tool."""

    def __init__(self, operation: Operation, client: Client) -> None:
        self.operation = operation
        self.client = client
        self.name, self.description, self.parameters = operation.name, operation.summary, dict(operation.schema)

    def run(self, arguments: dict[str, Any], call_id: str) -> Outcome:
        result = calling.call(self.client, self.operation, arguments)
        return ToolOutput(result.text, is_error=result.is_error)


def as_parameter(name: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    """Simple values by the usual style, everything else as JSON."""
    items = schema.get("items", {}) if schema.get("type") == "array" else schema
    is_simple = items.get("type") in ("string", "integer", "number", "boolean")
    how = {"schema": schema} if is_simple else {"content": {"application/json": {"schema": schema}}}
    return {"name": name, "in": "query", "required": required, **how}


def variants(tool: dict[str, Any], url: str) -> dict[str, Operation]:
    schema = tool["parameters"]
    required = schema.get("required", [])
    parameters = [
        as_parameter(name, one, required=name in required) for name, one in schema.get("properties", {}).items()
    ]
    body = json_body({**schema, "type": "object"})
    paths = {
        "/call": {"get": {"operationId": "get", "parameters": parameters}, "post": {"operationId": "post", **body}}
    }
    return {one.name: one for one in api(paths, servers=[{"url": url}]).operations}


def expected_query(parameters: Any, arguments: dict[str, Any]) -> list[tuple[str, str]]:
    pairs = []
    for parameter in parameters:
        if parameter.argument in arguments:
            value = arguments[parameter.argument]
            values = value if isinstance(value, list) and not parameter.media_type else [value]
            pairs += [
                (
                    parameter.name,
                    one
                    if isinstance(one, str) and not parameter.media_type
                    else json.dumps(one, ensure_ascii=False, separators=(",", ":")),
                )
                for one in values
            ]
    return pairs


def spoiled(schema: dict[str, Any], arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One required argument less, one of another type, one more."""
    for name in schema.get("required", [])[:1]:
        yield {key: value for key, value in arguments.items() if key != name}
    typed = [
        (name, part["type"]) for name, part in schema.get("properties", {}).items() if isinstance(part.get("type"), str)
    ]
    for name, kind in typed[-1:]:
        yield {**arguments, name: {} if kind == "array" else [{}]}
    yield {**arguments, "no_such_argument": 1}


def test_calls_that_others_recorded_arrive_exactly(echo: Echo, client: Client, devdata: Path):
    rows = [json.loads(line) for line in (devdata / "actions" / "bfcl_calls.jsonl").read_text().splitlines()]
    replayed = wrong = unknown = 0
    for row in rows:
        if not row["schema_valid"]:
            continue
        tools = {tool["name"]: tool for tool in row["tools"]}
        for call in row["calls"]:
            arguments = call["arguments"]
            if not set(arguments) <= set(tools[call["name"]]["parameters"].get("properties", {})):
                # Recorded with an argument that its own schema does not have.
                unknown += 1
                continue
            for name, found in variants(tools[call["name"]], echo.url).items():
                if found.problem:
                    wrong += 1
                    continue
                by_name = {name: Called(found, client)}
                renamed = renaming(found, arguments)
                echo.heard.clear()
                perform(ToolCall("c", name, json.dumps(renamed)), by_name)
                replayed += 1
                if len(echo.heard) != 1 or not arrived(echo.heard[0], found, renamed, arguments):
                    wrong += 1
                    continue
                echo.heard.clear()
                for bad in spoiled(dict(found.schema), renamed):
                    perform(ToolCall("c", name, json.dumps(bad)), by_name)
                assert echo.heard == [], (row["id"], name)

    assert replayed > 1500 and unknown < 10
    assert wrong == 0


def renaming(found: Operation, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments under the names that the operation gives them."""
    names = {one.name: one.argument for one in (*found.parameters, *(found.body.fields if found.body else ()))}
    if found.body and found.body.argument:
        return {found.body.argument: arguments}
    return {names[name]: value for name, value in arguments.items()}


def arrived(heard: dict[str, Any], found: Operation, renamed: dict[str, Any], arguments: dict[str, Any]) -> bool:
    if (heard["method"], heard["path"]) != (found.method, "/call"):
        return False
    if found.method == "POST":
        return heard["query"] == "" and json.loads(heard["body"].encode("latin-1")) == arguments
    return heard["body"] == "" and parse_qsl(heard["query"], keep_blank_values=True) == expected_query(
        found.parameters, renamed
    )


def test_the_separator_of_each_style_is_known():
    assert set(requests.SEPARATORS) == {"form", "spaceDelimited", "pipeDelimited", "tabDelimited"}
