"""The stream of a run to the page, as server-sent events.

The id of each event is its id in the run's Redis stream: the browser sends the last one when it reconnects,
and goes on where it was.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing

from django.db import connections
from django.http import Http404, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.http import require_GET

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import Request
from gptbuilder.conversations import faces
from gptbuilder.conversations.hub import hub
from gptbuilder.conversations.models.run import Run, RunQuerySet
from gptbuilder.web.ready import Ready

PING_SECONDS = 15.0


def _of(person_id: str, run_id: str) -> RunQuerySet:
    return Run.objects.of(User(pk=person_id)).filter(pk=run_id)


STATE = Ready(lambda person_id, run_id: _of(person_id, run_id).only("status"), str, str)
ENDED = Ready(
    lambda person_id, run_id: _of(person_id, run_id).select_related(
        "thread__gpt__draft", "thread__gpt__live_version", "version", "answer"
    ),
    str,
    str,
)


@require_GET
def events(request: Request, run_id: str) -> StreamingHttpResponse:
    """Everything after Last-Event-ID, then what comes, until the run has ended."""
    after = request.headers.get("Last-Event-ID", "")
    if not re.fullmatch(r"\d{1,20}-\d{1,20}", after):
        after = "0-0"
    ended = _ended(request, run_id)
    response = StreamingHttpResponse(_follow(request, run_id, after, ended), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache, no-transform"
    response["X-Accel-Buffering"] = "no"
    # Compression would hold events back until it has enough of them.
    response["Content-Encoding"] = "identity"
    return response


async def _follow(request: Request, run_id: str, after: str, ended: str) -> AsyncIterator[bytes]:
    if ended:
        yield _encode("done", ended)
        return
    yield b"retry: 1000\n\n"
    async with aclosing(hub().follow(run_id, after, PING_SECONDS)) as followed:
        async for event in followed:
            if event is not None and event.kind != "done":
                data = _labelled(event.data, request.LANGUAGE_CODE) if event.kind == "step" else event.data
                yield _encode(event.kind, data, event.id)
            elif ended := await asyncio.to_thread(_ended_meanwhile, request, run_id):
                # Told by the stream, or found in the database because Redis had lost it.
                yield _encode("done", ended, event.id if event else "")
                return
            else:
                yield b": ping\n\n"


def _ended(request: Request, run_id: str) -> str:
    """The data of the `done` event when the run has ended, or nothing. Raises Http404 for a stranger."""
    state = STATE.first(_person_id(request), run_id)
    if state is None:
        raise Http404
    return "" if state.is_active else _done(request, run_id)


def _done(request: Request, run_id: str) -> str:
    """The same where the run has probably ended: one query less."""
    run = ENDED.first(_person_id(request), run_id)
    if run is None:
        raise Http404
    if run.is_active:
        return ""
    html = render_to_string("conversations/_answer.html", faces.ended_context(run), request=request)
    return json.dumps({"status": run.status, "html": html}, ensure_ascii=False)


def _ended_meanwhile(request: Request, run_id: str) -> str:
    """The same in a thread of its own: in the page's language, and without keeping a database connection."""
    try:
        with translation.override(request.LANGUAGE_CODE):
            return _done(request, run_id)
    finally:
        connections.close_all()


def _person_id(request: Request) -> str:
    return request.person.pk if request.person else ""


def _labelled(data: str, language: str) -> str:
    """A step with its label in the page's language."""
    step = json.loads(data)
    if label := step.get("label"):
        with translation.override(language):
            step["label"] = translation.gettext(label) % step.pop("values", {})
    return json.dumps(step, ensure_ascii=False)


def _encode(kind: str, data: str, id: str = "") -> bytes:
    head = f"id: {id}\n" if id else ""
    return f"{head}event: {kind}\ndata: {data}\n\n".encode()
