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

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from gptbuilder.conversations import faces
from gptbuilder.conversations.hub import hub
from gptbuilder.conversations.models.run import Run

PING_SECONDS = 15.0


@require_GET
async def events(request: HttpRequest, run_id: str) -> StreamingHttpResponse:
    """Everything after Last-Event-ID, then what comes, until the run has ended."""
    after = request.headers.get("Last-Event-ID", "")
    if not re.fullmatch(r"\d{1,20}-\d{1,20}", after):
        after = "0-0"
    ended = await _state(request, run_id)
    response = StreamingHttpResponse(_follow(request, run_id, after, ended), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache, no-transform"
    response["X-Accel-Buffering"] = "no"
    return response


async def _follow(request: HttpRequest, run_id: str, after: str, ended: str) -> AsyncIterator[bytes]:
    if ended:
        yield _encode("done", ended)
        return
    yield b"retry: 1000\n\n"
    async with aclosing(hub().follow(run_id, after)) as followed:
        coming = asyncio.ensure_future(anext(followed))
        try:
            while True:
                done, _ = await asyncio.wait({coming}, timeout=PING_SECONDS)
                event = coming.result() if done else None
                if event is not None and event.kind != "done":
                    yield _encode(event.kind, event.data, event.id)
                elif ended := await _state(request, run_id):
                    # Told by the stream, or found in the database because Redis had lost it.
                    yield _encode("done", ended, event.id if event else "")
                    return
                elif not done:
                    yield b": ping\n\n"
                if done:
                    coming = asyncio.ensure_future(anext(followed))
        finally:
            coming.cancel()
            await asyncio.wait({coming})


@sync_to_async
def _state(request: HttpRequest, run_id: str) -> str:
    """The data of the `done` event when the run has ended, or nothing. Raises Http404 for a stranger.

    Gives its database connection back: a stream stays open for long.
    """
    try:
        runs = Run.objects.of(request.person).select_related("thread__gpt__draft", "version", "answer")
        run = get_object_or_404(runs, pk=run_id)
        if run.is_active:
            return ""
        html = render_to_string("conversations/_answer.html", faces.answer_context(run), request=request)
        return json.dumps({"status": run.status, "html": html}, ensure_ascii=False)
    finally:
        connections.close_all()


def _encode(kind: str, data: str, id: str = "") -> bytes:
    head = f"id: {id}\n" if id else ""
    return f"{head}event: {kind}\ndata: {data}\n\n".encode()


