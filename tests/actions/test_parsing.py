"""Texts that are documents, and texts that are none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptbuilder.actions.openapi import parsing
from gptbuilder.actions.openapi.parsing import NotReadable, parse
from tests.actions.documents import document

YAML = """\
openapi: 3.1.0
info: {title: Calendar, version: "1"}
paths:
  /events:
    get: {operationId: list, responses: {"200": {description: ok}}}
"""


def refused(data: bytes) -> NotReadable:
    with pytest.raises(NotReadable) as caught:
        parse(data)
    return caught.value


def test_json_and_yaml_are_the_same():
    text = json.dumps(document({"/events": {"get": {}}}))

    assert parse(text.encode()) == parse(b"\xef\xbb\xbf" + text.encode())
    assert parse(YAML.encode())["paths"]["/events"]["get"]["operationId"] == "list"


def test_a_date_stays_the_text_it_is():
    assert parse(YAML.replace('"1"', "2026-01-31").encode())["info"]["version"] == "2026-01-31"


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b'{"openapi": "3.0.0",\n "paths": {"/a": {}\n', "json", 3),
        (b'{"openapi": "3.0.0"\n "paths": {}}', "json", 2),
        (b"openapi: 3.0.0\npaths: [1, 2\ninfo: x\n", "yaml", 3),
        (b"openapi: 3.0.0\ninfo:\n\ttitle: x\n", "yaml", 3),
        (b"openapi: 3.0.0\npaths: {/a: {}}\npaths: {/b: {}}\n", "yaml", 3),
        (b"openapi: 3.0.0\ninfo: \xff\n", "encoding", 2),
        (b"- a\n- b\n", "not_a_mapping", 1),
        (b"", "not_a_mapping", 1),
        (b"title: no document\n", "not_openapi", 1),
        (b"openapi: 4.0.0\npaths: {/a: {}}\n", "version", None),
        (b"openapi: 3.0.0\npaths: {}\n", "no_paths", None),
        (b"openapi: 3.0.0\npaths: [1]\n", "no_paths", None),
    ],
)
def test_what_is_broken_is_named_with_its_line(data: bytes, code: str, line: int | None):
    error = refused(data)

    assert (error.code, error.line) == (code, line)
    assert error.message


def test_a_text_that_unfolds_without_end_is_refused():
    layers = "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(9))

    assert refused(f"openapi: 3.0.0\na: &a [x,x,x,x,x,x,x,x,x,x]\n{layers}".encode()).code == "yaml"


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 100_000, b"- " * 20_000, b"{" * 50_000])
def test_a_text_that_is_nested_without_end_is_refused(data: bytes):
    assert refused(data).code in ("json", "yaml")


def test_what_is_too_large_is_not_read(monkeypatch):
    monkeypatch.setattr(parsing, "TEXT_BYTES", 10)

    assert refused(YAML.encode()).code == "too_large"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_anything_else_is_refused_in_words(data: bytes):
    assert refused(data).message
