"""A browser whose requests Django's test client answers: every state a page can have is some rows away, and no server
is started for it. What streams is tested with a running site.
"""

from __future__ import annotations

import contextvars
import mimetypes
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.contrib.staticfiles.finders import get_finders
from django.http import HttpResponse
from django.test import Client
from playwright.sync_api import Browser, Page, Route

from gptbuilder.web import storage

HOST = "http://localhost"
# Headers that the test client writes itself, or that would have the answer compressed.
OURS = {"accept-encoding", "content-length", "content-type", "cookie", "host"}
REDIRECTS = (301, 302, 303)


class InProcess:
    """One page of a browser that talks with a test client. `responses` are the pages it was given, in order."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.client = Client()
        self.responses: list[HttpResponse] = []
        self.problems: list[str] = []
        self._posted: Mapping[str, Any] | None = None
        self._outside = contextvars.copy_context()
        self._context = browser.new_context(base_url=HOST, locale="en-US", reduced_motion="reduce", **options)
        self._context.route("**/*", self._answer)
        self.page: Page = self._context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(f"{self.page.url}: {error}"))

    def visit(self, client: Client, path: str, posted: Mapping[str, Any] | None = None) -> None:
        """Open a page as this client; with `posted`, the page that answers this form."""
        self.client, self._posted = client, posted
        self.page.goto(path, wait_until="domcontentloaded")

    def close(self) -> None:
        self._context.close()

    def _answer(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.path.startswith("/static/"):
            kind, body = static(address.path.removeprefix("/static/"))
            return route.fulfill(body=body, content_type=kind)
        if address.path.endswith("/events"):
            return route.abort()
        # Playwright calls from a context of its own, which would have a database connection of its own.
        response = self._outside.run(self._ask, route)
        body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[arg-type]
        return route.fulfill(status=response.status_code, headers=dict(response.headers), body=body)

    def _ask(self, route: Route) -> HttpResponse:
        request = route.request
        address = urlsplit(request.url)
        path = f"{address.path}?{address.query}" if address.query else address.path
        if request.is_navigation_request():
            posted, self._posted = self._posted, None
            response = self.client.get(path) if posted is None else self.client.post(path, posted)
            while response.status_code in REDIRECTS:
                response = self.client.get(response["Location"])
            self.responses.append(response)
            return response
        headers = {name: value for name, value in request.headers.items() if name not in OURS}
        kind = request.headers.get("content-type", "")
        return self.client.generic(request.method, path, request.post_data_buffer or b"", kind, headers=headers)


@cache
def static(name: str) -> tuple[str, bytes]:
    """A static file as a browser gets it: the stylesheet and the script with all that they import."""
    paths = {path: (found, path) for finder in get_finders() for path, found in finder.list([])}
    bundles = {storage.STYLESHEET: storage.stylesheet, storage.SCRIPT: storage.script}
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if name in bundles:
        return kind, bundles[name](paths).encode()
    found, path = paths[name]
    with found.open(path, "rb") as file:
        return kind, file.read()
