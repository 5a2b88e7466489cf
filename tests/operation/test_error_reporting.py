"""What leaves the house when something goes wrong: a real report, received by a real server."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.waiting import until

ROOT = Path(__file__).parents[2]
SECRETS = {"SECRET_KEY": "the-secret-key-of-this-test", "OPENAI_API_KEY": "sk-the-key-of-the-model"}
# A process of its own: the SDK is started once for all of one.
BREAK = """
import logging
import django
from django.conf import settings
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
django.setup()
from django.test import Client
from django.urls import path
import gptbuilder.urls
from gptbuilder.web import logs

def broken(request, token):
    wrote = request.POST["text"]
    raise ValueError("cannot store " + wrote)

gptbuilder.urls.urlpatterns.append(path("g/<str:token>/broken/", broken))
client = Client(raise_request_exception=False)
client.cookies["csrftoken"] = "the-session-of-ada"
answer = client.post("/g/the-token-of-the-link/broken/?q=what-ada-looks-for", {"text": "what Ada wrote"},
    headers={"X-Request-ID": "request-of-ada", "Authorization": "Bearer the-api-key-of-ada"})
assert answer.status_code == 500, answer.status_code
with logs.bind_run("run_of_ada"):
    try:
        raise KeyError("what the model said")
    except KeyError:
        logging.getLogger("gptbuilder.conversations.execution").exception("the run failed")
logging.getLogger("some.library").error("it says what Ada wrote")
"""


@pytest.fixture
def received() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a report's receiver, and the bodies it got."""
    bodies: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://public@127.0.0.1:{server.server_port}/1", bodies
        server.shutdown()


def run(script: str, dsn: str) -> None:
    environment = {
        **os.environ, **SECRETS, "SENTRY_DSN": dsn, "DJANGO_SETTINGS_MODULE": "gptbuilder.settings",
        "DATABASE_POOL": "0", "ALLOWED_HOSTS": "*",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_a_report_says_where_it_broke_and_nothing_that_anybody_wrote(received):
    dsn, bodies = received

    run(BREAK, dsn)
    until(lambda: len(bodies) >= 3)

    whole = b"\n".join(bodies).decode()
    assert "cannot store" in BREAK and "cannot store" not in whole.replace('raise ValueError(\\"cannot store', "")
    for secret in (
        *SECRETS.values(), "what Ada wrote", "what the model said", "what-ada-looks-for", "the-session-of-ada",
        "the-token-of-the-link", "the-api-key-of-ada",
    ):  # fmt: skip
        assert secret not in whole, secret
    events = [json.loads(line) for body in bodies for line in body.splitlines() if b'"exception"' in line]
    page, task = events
    assert page["exception"]["values"][-1]["type"] == "ValueError"
    assert page["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "broken"
    assert page["tags"] == {"request_id": "request-of-ada"}
    assert task["logentry"] == {"message": "the run failed"}
    assert task["tags"] == {"run_id": "run_of_ada"}


def test_without_an_address_nothing_is_started():
    run("import django, sentry_sdk; django.setup(); assert not sentry_sdk.get_client().is_active()", "")


def test_an_event_keeps_only_what_is_known_to_be_harmless():
    from gptbuilder.operation.error_reporting import scrubbed

    record = logging.LogRecord("django.request", logging.ERROR, "", 0, "Internal Server Error: %s", ("/g/x/",), None)
    event = {
        "level": "error", "user": {"id": "user_1"}, "request": {"url": "/g/x/"}, "extra": {"a": 1},
        "breadcrumbs": {"values": [1]}, "something_new": "what Ada wrote", "contexts": {"trace": {}},
        "exception": {
            "values": [{"type": "E", "value": "what Ada wrote", "stacktrace": {"frames": [{"vars": {"a": "b"}}]}}]
        },
    }  # fmt: skip

    assert scrubbed(event, {"log_record": record}) == {
        "level": "error",
        "logentry": {"message": "Internal Server Error: %s"},
        "exception": {
            "values": [{"type": "E", "mechanism": {"type": None, "handled": None}, "stacktrace": {"frames": [{}]}}]
        },
        "tags": {},
    }


def test_the_version_is_the_one_of_the_project():
    import tomllib

    import gptbuilder

    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == gptbuilder.__version__
