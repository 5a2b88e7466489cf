"""A run from the queue to its end, against a real upstream on this machine."""

from __future__ import annotations

import json
import threading

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from gptbuilder.conversations import execution, live, stream, turns
from gptbuilder.conversations.models.run import Run
from gptbuilder.embedded.model_status import status, write_status
from gptbuilder.gpts import builtin, drafts
from gptbuilder.gpts.models import Draft
from tests import upstream as scripted
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(ada):
    thread = turns.start_thread(ada, builtin.default_gpt())
    return turns.start_turn(thread, ada, "Where to on Sunday?", timezone.now())


def events(run: Run) -> list[str]:
    """What stands in the run's stream, in order: kind and data."""

    def read() -> list[str]:
        with redis.Redis.from_url(settings.REDIS_URL, decode_responses=True) as client:
            return [fields["event"] for _id, fields in client.xrange(stream.key(run.pk))]

    until(lambda: any(line.startswith("done") for line in read()))
    return read()


def test_an_answer_is_streamed_then_stored_then_announced(run, upstream):
    upstream.script(scripted.Text("Take the **lake** path."))

    execution.execute(run.pk)

    run.refresh_from_db()
    assert run.status == "completed"
    assert run.answer.text == "Take the **lake** path."
    assert "<strong>lake</strong>" in run.answer.html
    assert run.thread.path()[-1] == run.answer
    assert run.output_tokens > 0 and run.steps.get().output_tokens == run.output_tokens
    told = events(run)
    assert "".join(json.loads(line.removeprefix("delta "))["text"] for line in told[:-1]) == "Take the **lake** path."
    assert told[-1].startswith("done")


def test_the_model_hears_the_instructions_and_the_conversation(run, upstream):
    upstream.script(scripted.Text("To the lake."), scripted.Text("Rain."))
    execution.execute(run.pk)
    thread = run.thread
    thread.refresh_from_db()
    second = turns.start_turn(thread, run.person, "And on Monday?", timezone.now())

    execution.execute(second.pk)

    heard = [(message["role"], message["content"]) for message in upstream.requests[-1]["messages"]]
    assert heard[0][0] == "system" and "Answer helpfully" in heard[0][1]
    assert heard[1:] == [("user", "Where to on Sunday?"), ("assistant", "To the lake."), ("user", "And on Monday?")]


def test_a_run_is_executed_once(run, upstream):
    upstream.script(scripted.Text("One."), scripted.Text("Two."))

    execution.execute(run.pk)
    execution.execute(run.pk)

    assert len(upstream.requests) == 1
    assert run.thread.messages.count() == 2


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (scripted.Status(401, {}, {"error": {"message": "no"}}), "unauthorized"),
        (scripted.Garbage(b"<html>hello</html>"), "garbage"),
        (scripted.Status(400, {}, {"error": {"code": "context_length_exceeded", "message": "x"}}), "too_long"),
    ],
)
def test_a_failing_model_ends_the_run_with_a_reason(run, upstream, reply, code):
    upstream.script(reply)

    execution.execute(run.pk)

    run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", code)
    assert turns.latest_run(run.thread) == run
    assert "test-key" not in run.error_detail


def test_what_was_said_before_the_upstream_died_is_kept(run, upstream):
    upstream.script(scripted.Die(after=4))

    execution.execute(run.pk)

    run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", "broken")
    assert run.answer.text


def test_a_stopped_answer_keeps_what_was_said(run, upstream):
    upstream.script(scripted.Hang(after=2))
    worker = threading.Thread(target=execution.execute, args=[run.pk])
    worker.start()
    until(lambda: live.held_count() and upstream.open_connections)
    until(lambda: Run.objects.get(pk=run.pk).status == "in_progress")

    def first_words() -> bool:
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            return client.xlen(stream.key(run.pk)) > 0

    until(first_words)
    turns.cancel(run)
    worker.join(20)

    run.refresh_from_db()
    assert run.status == "cancelled"
    assert run.answer.text
    until(lambda: not upstream.open_connections)


def test_a_builder_turn_writes_the_draft_and_names_what_changed(ada, upstream):
    gpt = drafts.create(ada)
    thread = turns.start_thread(ada, builtin.builder_gpt(), purpose="builder", subject=gpt)
    run = turns.start_turn(thread, ada, "A guide for hikes with kids", timezone.now())
    upstream.script(
        scripted.ToolCalls([("update_behavior", '{"name": "Trail Planner", "instructions": "Ask ages first."}')]),
        scripted.Text("I called it Trail Planner. Does the name suit you?"),
    )

    execution.execute(run.pk)

    draft = Draft.objects.get(gpt=gpt)
    assert (draft.name, draft.instructions) == ("Trail Planner", "Ask ages first.")
    run.refresh_from_db()
    assert run.status == "completed"
    step = run.steps.get(tool="update_behavior")
    assert [change["field"] for change in step.data["changes"]] == ["name", "instructions"]
    assert any(line.startswith("changed") for line in events(run))


def test_a_second_attempt_goes_on_after_the_tools_that_have_answered(ada, upstream):
    gpt = drafts.create(ada)
    thread = turns.start_thread(ada, builtin.builder_gpt(), purpose="builder", subject=gpt)
    run = turns.start_turn(thread, ada, "A guide for hikes with kids", timezone.now())
    upstream.script(
        scripted.ToolCalls([("update_behavior", '{"name": "Trail Planner"}')]),
        scripted.Status(400),
        scripted.Text("Done."),
    )
    execution.execute(run.pk)
    Run.objects.filter(pk=run.pk).update(status="queued", finished_at=None, error_code="")

    execution.execute(run.pk)

    run.refresh_from_db()
    assert (run.status, run.attempt, run.answer.text) == ("completed", 2, "Done.")
    assert run.steps.filter(tool="update_behavior").count() == 1
    assert any(line.startswith("restart") for line in events(run))


def test_a_run_waits_until_the_local_model_is_loaded(run, upstream, settings, tmp_path):
    settings.LOCAL_MODEL, settings.MODEL_STATUS_FILE = True, str(tmp_path / "status.json")
    write_status(tmp_path / "status.json", status("loading"))
    upstream.script(scripted.Text("To the lake."))
    worker = threading.Thread(target=execution.execute, args=[run.pk])
    worker.start()
    until(lambda: run_in_progress(run))

    assert not upstream.requests
    write_status(tmp_path / "status.json", status("ready"))
    worker.join(20)

    run.refresh_from_db()
    assert (run.status, run.answer.text) == ("completed", "To the lake.")
    assert "Waiting until the model is loaded" in events(run)[0]


def run_in_progress(run: Run) -> bool:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return Run.objects.get(pk=run.pk).status == "in_progress" and client.xlen(stream.key(run.pk)) > 0
