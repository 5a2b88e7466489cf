"""Runs that have ended, without anybody having answered them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gptbuilder.conversations import turns
from gptbuilder.conversations.models.run import Run
from gptbuilder.gpts import builtin


@pytest.fixture
def ended_run(ada):
    """A run that ended a minute ago, its first token half a second after the question."""

    def ended(**fields: object) -> Run:
        thread = turns.start_thread(ada, builtin.default_gpt())
        run = turns.start_turn(thread, ada, "Where to?", timezone.now())
        asked_at = timezone.now() - timedelta(minutes=2)
        values = {
            "status": "completed",
            "created_at": asked_at,
            "first_token_at": asked_at + timedelta(seconds=0.5),
            "finished_at": timezone.now() - timedelta(minutes=1),
            "input_tokens": 100,
            "output_tokens": 20,
            **fields,
        }
        Run.objects.filter(pk=run.pk).update(**values)
        run.refresh_from_db()
        return run

    return ended
