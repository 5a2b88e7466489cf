"""A run that asks its person before it does something."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from gptbuilder.agent.tool import NeedsInput, Outcome, ToolOutput
from gptbuilder.conversations import arguments, deciding, execution, queueing, reaper, turns
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.gpts import builtin
from gptbuilder.tools import registry
from tests import upstream as scripted

pytestmark = pytest.mark.django_db(transaction=True)

ARGUMENTS = {"to": "priya@example.com", "minutes": 30, "urgent": False}


@dataclass
class Messenger:
    """A tool that needs a yes for each call."""

    decisions: dict[str, str]
    sent: list[dict[str, Any]] = field(default_factory=list)
    name: str = "send_message"
    description: str = "Send a message."
    parameters: dict[str, Any] = field(default_factory=lambda: {"type": "object"})

    def run(self, arguments: dict[str, Any], call_id: str) -> Outcome:
        match self.decisions.get(call_id):
            case "allowed" | "always":
                self.sent.append(arguments)
                return ToolOutput("It was sent.")
            case "declined":
                return ToolOutput("The person said no.", is_error=True)
        return NeedsInput(
            "consent",
            {
                "host": "mail.example.com", "name": self.name, "summary": "Send a message",
                "decisions": ["allowed", "declined"],
            },
        )  # fmt: skip


@pytest.fixture
def sent(monkeypatch) -> list[dict[str, Any]]:
    """What left, in order."""
    sent: list[dict[str, Any]] = []

    def equipment(version, context):
        return registry.Equipment("Help.", (Messenger(dict(context.decisions), sent),))

    monkeypatch.setattr(execution.registry, "equipment", equipment)
    return sent


@pytest.fixture
def thread(ada):
    return turns.start_thread(ada, builtin.default_gpt())


def asking(*calls: dict[str, Any], text: str = "") -> scripted.ToolCalls:
    return scripted.ToolCalls([("send_message", json.dumps(call)) for call in calls], text=text)


@pytest.fixture
def paused(thread, ada, upstream, sent) -> Run:
    """It has said something, wants to send a message and waits."""
    upstream.script(asking(ARGUMENTS, text="I will tell Priya."), scripted.Text("I told her."))
    run = turns.start_turn(thread, ada, "Tell Priya that I leave early.", timezone.now())
    execution.execute(run.pk)
    run.refresh_from_db()
    assert run.status == "requires_action"
    return run


def call_id(run: Run) -> str:
    return deciding.waiting(run).get().call_id


def test_nothing_leaves_before_the_person_says_so(paused, sent):
    assert sent == []
    assert paused.finished_at is None
    assert turns.latest_run(paused.thread) == paused


def test_after_a_yes_it_goes_on_and_the_answer_holds_both_parts(paused, sent):
    deciding.decide(paused, call_id(paused), "allowed", timezone.now())
    execution.execute(paused.pk)

    paused.refresh_from_db()
    assert paused.status == "completed"
    assert sent == [ARGUMENTS]
    assert paused.answer.text == "I will tell Priya.\n\nI told her."


def test_after_a_no_the_model_is_told(paused, sent, upstream):
    deciding.decide(paused, call_id(paused), "declined", timezone.now())
    execution.execute(paused.pk)

    assert sent == []
    assert upstream.requests[-1]["messages"][-1]["content"] == "The person said no."


def test_what_the_person_changed_is_sent_and_told_to_the_model(paused, sent, upstream):
    deciding.decide(paused, call_id(paused), "allowed", timezone.now(), ARGUMENTS | {"minutes": 45})
    execution.execute(paused.pk)

    assert sent == [ARGUMENTS | {"minutes": 45}]
    call = upstream.requests[-1]["messages"][-2]["tool_calls"][0]
    assert json.loads(call["function"]["arguments"])["minutes"] == 45


def test_an_answer_counts_once(paused, sent):
    call = call_id(paused)

    assert deciding.decide(paused, call, "allowed", timezone.now())
    assert deciding.decide(paused, call, "declined", timezone.now()) is None
    execution.execute(paused.pk)
    execution.execute(paused.pk)

    assert sent == [ARGUMENTS]


def test_an_answer_that_was_not_offered_is_none(paused, sent):
    with pytest.raises(deciding.NotPossible):
        deciding.decide(paused, call_id(paused), "always", timezone.now())

    assert deciding.waiting(paused).exists()


def test_of_several_calls_each_is_asked(thread, ada, upstream, sent):
    upstream.script(asking({"to": "Priya"}, {"to": "Ben"}), scripted.Text("Done."))
    run = turns.start_turn(thread, ada, "Tell both.", timezone.now())
    execution.execute(run.pk)

    first, second = deciding.waiting(run)
    deciding.decide(run, first.call_id, "allowed", timezone.now())
    run.refresh_from_db()
    assert run.status == "requires_action"
    deciding.decide(run, second.call_id, "declined", timezone.now())
    execution.execute(run.pk)

    run.refresh_from_db()
    assert run.status == "completed"
    assert sent == [{"to": "Priya"}]


def test_a_worker_that_is_lost_after_the_yes_asks_nothing_again(paused, sent, upstream):
    deciding.decide(paused, call_id(paused), "allowed", timezone.now())
    # It was claimed, and its worker died before it did anything.
    Run.objects.filter(pk=paused.pk).update(
        status="in_progress", attempt=2, heartbeat_at=timezone.now() - timedelta(minutes=1)
    )
    assert reaper.recover(timezone.now())["requeued"] == 1

    execution.execute(paused.pk)

    paused.refresh_from_db()
    assert (paused.status, sent) == ("completed", [ARGUMENTS])


def test_a_waiting_answer_can_be_stopped_and_keeps_its_words(paused, sent):
    deciding.stop(paused, timezone.now())
    deciding.stop(paused, timezone.now())

    paused.refresh_from_db()
    assert (paused.status, sent) == ("cancelled", [])
    assert paused.answer.text == "I will tell Priya."


def test_it_waits_as_long_as_the_setting_says(paused, sent, settings):
    settings.CONSENT_WAIT_HOURS = 24

    assert reaper.recover(paused.paused_at + timedelta(hours=23))["expired"] == 0
    assert reaper.recover(paused.paused_at + timedelta(hours=25))["expired"] == 1
    assert reaper.recover(paused.paused_at + timedelta(hours=26))["expired"] == 0

    paused.refresh_from_db()
    assert (paused.status, sent) == ("expired", [])


def test_a_message_sent_meanwhile_waits(paused, ada):
    said = queueing.say(paused.thread, ada, "And Ben too.", timezone.now())

    assert not isinstance(said, Run)


# --- The page --------------------------------------------------------------------------------------


def decide_on_page(client: Client, run: Run, **fields: str) -> Any:
    return client.post(f"/runs/{run.pk}/decision/", {"call": call_id(run), **fields})


def test_the_page_shows_what_will_be_sent_where(paused, ada, as_person):
    page = as_person(ada).get(f"/c/{paused.thread_id}/").content.decode()

    assert "mail.example.com" in page
    assert 'value="priya@example.com"' in page
    assert 'value="declined"' in page and 'value="always"' not in page
    assert "I will tell Priya." in page


def test_values_keep_their_kinds(paused, sent, ada, as_person):
    form = {"argument.to": "ben@example.com", "argument.minutes": "45", "argument.urgent": "true"}

    response = decide_on_page(as_person(ada), paused, decision="allowed", **form)
    execution.execute(paused.pk)

    assert b"run-stream" in response.content and b"data-asks" not in response.content
    assert sent == [{"to": "ben@example.com", "minutes": 45, "urgent": True}]


def test_an_answer_that_comes_too_late_shows_what_has_become_of_it(paused, sent, ada, as_person):
    call = call_id(paused)
    deciding.decide(paused, call, "declined", timezone.now())

    response = as_person(ada).post(f"/runs/{paused.pk}/decision/", {"call": call, "decision": "allowed"})
    execution.execute(paused.pk)

    assert response.status_code == 200 and b"data-asks" not in response.content
    assert sent == []


def test_a_value_that_does_not_fit_is_named_and_nothing_is_decided(paused, ada, as_person):
    response = decide_on_page(as_person(ada), paused, decision="allowed", **{"argument.minutes": "soon"})

    assert response.status_code == 422
    assert "minutes" in response.content.decode()
    assert deciding.waiting(paused).exists()


def test_only_its_person_decides(paused, sent, cleo, as_person):
    call = call_id(paused)
    for client in (as_person(cleo), Client()):
        assert client.post(f"/runs/{paused.pk}/decision/", {"call": call, "decision": "allowed"}).status_code == 404

    assert deciding.waiting(paused).exists()


def test_what_is_no_decision_is_refused(paused, ada, as_person):
    assert decide_on_page(as_person(ada), paused, decision="always").status_code == 400
    assert decide_on_page(as_person(ada), paused, decision="").status_code == 400


def test_after_the_end_the_page_says_that_nobody_answered(paused, ada, as_person):
    deciding.end(paused, Run.Status.EXPIRED, timezone.now())

    page = as_person(ada).get(f"/c/{paused.thread_id}/").content.decode()

    assert "nobody answered in time" in page
    assert Message.objects.filter(run=paused).exists()


# --- Arguments as fields -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "label"), [("to", "To"), ("bedTime", "Bed Time"), ("bed_time", "Bed time"), ("地点", "地点")]
)
def test_a_name_is_read_as_words(key: str, label: str):
    assert arguments.values(json.dumps({key: 1}))[0].label == label


def test_what_was_not_changed_is_the_same():
    text = json.dumps({"a": "x", "b": [1, {"c": None}], "d": 1.5})

    assert arguments.changed(text, {value.field: value.text for value in arguments.values(text)}) is None


@pytest.mark.parametrize("broken", ["", "null", "[1]", "{", '"text"'])
def test_arguments_that_are_no_object_have_no_fields(broken: str):
    assert arguments.values(broken) == []
    assert arguments.changed(broken, {"argument.a": "1"}) is None
