"""What becomes of runs whose worker went silent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gptbuilder.conversations import reaper, recorder, turns
from gptbuilder.conversations.models.run import Run
from gptbuilder.gateway.types import Completion
from gptbuilder.gpts import builtin

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(ada):
    thread = turns.start_thread(ada, builtin.default_gpt())
    return turns.start_turn(thread, ada, "Where to?", timezone.now())


def set_run(run: Run, **fields: object) -> None:
    Run.objects.filter(pk=run.pk).update(**fields)


def test_a_silent_run_goes_back_to_the_queue_for_another_attempt(run):
    set_run(run, status="in_progress", attempt=1, heartbeat_at=timezone.now() - timedelta(seconds=20))

    assert reaper.recover(timezone.now())["requeued"] == 1
    assert reaper.recover(timezone.now())["requeued"] == 0

    run.refresh_from_db()
    assert (run.status, run.attempt) == ("queued", 1)
    assert recorder.claim(run.pk).attempt == 2


def test_a_run_whose_heart_beats_is_left_alone(run):
    set_run(run, status="in_progress", attempt=1, heartbeat_at=timezone.now() - timedelta(seconds=8))

    assert not any(reaper.recover(timezone.now()).values())


def test_a_run_that_was_lost_three_times_ends_with_a_reason(run):
    set_run(run, status="in_progress", attempt=3, heartbeat_at=timezone.now() - timedelta(seconds=20))

    reaper.recover(timezone.now())

    run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", "lost")


def test_a_silent_run_that_was_told_to_stop_is_cancelled(run):
    set_run(run, status="cancelling", attempt=1, heartbeat_at=timezone.now() - timedelta(seconds=20))

    reaper.recover(timezone.now())

    run.refresh_from_db()
    assert run.status == "cancelled"


def test_a_run_that_nobody_claimed_is_sent_again_but_not_over_and_over(run):
    set_run(run, created_at=timezone.now() - timedelta(seconds=40))

    assert reaper.recover(timezone.now())["resent"] == 1
    assert reaper.recover(timezone.now())["resent"] == 0


def test_only_one_worker_claims_a_run(run):
    assert recorder.claim(run.pk).attempt == 1
    assert recorder.claim(run.pk) is None


def test_a_worker_that_was_only_stalled_writes_nothing_when_it_wakes(run):
    stalled = recorder.claim(run.pk)
    set_run(run, heartbeat_at=timezone.now() - timedelta(seconds=20))
    reaper.recover(timezone.now())
    second = recorder.claim(run.pk)

    with pytest.raises(recorder.Superseded):
        recorder.finish(stalled, "completed", completion=Completion("From the dead."))
    recorder.finish(second, "completed", completion=Completion("To the lake."))
    with pytest.raises(recorder.Superseded):
        recorder.finish(stalled, "completed", completion=Completion("From the dead."))

    run.refresh_from_db()
    assert run.answer.text == "To the lake."
    assert [step.text for step in run.steps.all()] == ["To the lake."]
    run.thread.refresh_from_db()
    assert run.thread.head == run.answer
