"""Every request has a name, in the answer and in the log."""

from __future__ import annotations

import asyncio
import logging

import pytest
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from gptbuilder.web import logs
from gptbuilder.web.middleware import RequestIdMiddleware


def seen_id(request: HttpRequest) -> HttpResponse:
    return HttpResponse(logs.request_id.get())


def test_a_request_gets_an_id_that_answer_and_log_share():
    response = RequestIdMiddleware(seen_id)(RequestFactory().get("/"))

    assert len(response["X-Request-ID"]) == 16
    assert response.content.decode() == response["X-Request-ID"]
    assert logs.request_id.get() == ""


def test_an_id_from_the_proxy_is_kept():
    response = RequestIdMiddleware(seen_id)(RequestFactory().get("/", headers={"X-Request-ID": "proxy-12345678"}))

    assert response["X-Request-ID"] == "proxy-12345678"


@pytest.mark.parametrize("bad", ["short", "x" * 65, "new\nline-123", 'quote"12345'])
def test_an_id_that_could_forge_a_line_is_replaced(bad):
    response = RequestIdMiddleware(seen_id)(RequestFactory().get("/", headers={"X-Request-ID": bad}))

    assert response["X-Request-ID"] != bad


def test_an_asynchronous_view_stays_asynchronous():
    async def view(request: HttpRequest) -> HttpResponse:
        return seen_id(request)

    middleware = RequestIdMiddleware(view)
    response = asyncio.run(middleware(RequestFactory().get("/")))

    assert iscoroutinefunction(middleware)
    assert response.content.decode() == response["X-Request-ID"]


def test_the_id_ends_with_a_request_that_failed():
    def view(request: HttpRequest) -> HttpResponse:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        RequestIdMiddleware(view)(RequestFactory().get("/"))

    assert logs.request_id.get() == ""


def test_log_lines_inside_a_run_carry_its_id():
    record = logging.LogRecord("a", logging.INFO, "", 0, "text", None, None)

    with logs.bind_run("run_1"):
        logs.IdsFilter().filter(record)

    assert record.run_id == "run_1"
    assert record.request_id == ""
    assert logs.run_id.get() == ""
