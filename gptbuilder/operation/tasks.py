"""What the workers say about themselves."""

from __future__ import annotations

import time
from typing import Any

from celery.signals import heartbeat_sent

from gptbuilder.conversations import live
from gptbuilder.web import presence

_noted_at = 0.0


@heartbeat_sent.connect
def note_worker(sender: Any, **_: Any) -> None:
    """Celery's own heartbeat comes every two seconds, in the worker's main process. Its name begins with its kind."""
    global _noted_at
    if time.monotonic() - _noted_at >= presence.EVERY_SECONDS - 1:
        _noted_at = time.monotonic()
        presence.note(str(sender.eventer.hostname).partition("@")[0], live.held_count())
