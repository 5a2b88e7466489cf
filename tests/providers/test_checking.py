"""Testing a connection, against a real server that behaves well or badly."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gptbuilder.providers import checking, sentences, trials
from gptbuilder.providers.models import ConnectionCheck, Provider, ProviderModel
from tests.providers.conftest import KEY, able, unable
from tests.upstream import Die, Garbage, Hang, Status, Text

pytestmark = pytest.mark.django_db


def checked(provider: Provider | None, model: str = "quick") -> dict[str, checking.Outcome]:
    check = ConnectionCheck.objects.create(provider=provider, model_name=model)
    checking.run(check.pk)
    check.refresh_from_db()
    assert check.finished_at
    return checking.outcomes(check)


def test_everything_that_works_is_seen_to_work(provider, endpoint):
    found = checked(provider)

    assert {step: outcome.state for step, outcome in found.items()} == dict.fromkeys(checking.STEPS, "works")
    assert found["models"].names == ("quick", "vast")
    assert endpoint.headers[0]["authorization"] == f"Bearer {KEY}"
    model = provider.models.get()
    assert (model.tools, model.json_schema, model.vision, model.checked_at is None) == (True, True, True, False)
    provider.refresh_from_db()
    assert provider.listed_models == ["quick", "vast"]


def test_a_model_that_only_talks_is_seen_through(provider, endpoint):
    endpoint.default = unable

    found = checked(provider)

    assert [found[step].state for step in checking.ABILITIES] == ["fails", "fails", "fails"]
    model = provider.models.get()
    assert (model.tools, model.json_schema, model.vision) == (False, False, False)


def test_how_soon_it_answers_is_measured(provider, endpoint):
    endpoint.script(Text("Hello.", first_delay=0.05))

    assert checked(provider)["answer"].milliseconds >= 50


def test_an_endpoint_that_refuses_such_requests_does_not_know_them(provider, endpoint):
    def choosy(request):
        if "tools" in request or "response_format" in request or isinstance(request["messages"][-1]["content"], list):
            return Status(400, body={"error": {"message": f"unknown parameter, key {KEY}"}})
        return able(request)

    endpoint.default = choosy

    found = checked(provider)

    assert [found[step].state for step in checking.ABILITIES] == ["fails", "fails", "fails"]
    assert KEY not in str(ConnectionCheck.objects.values_list("steps", flat=True))


def test_a_limit_says_nothing_about_what_a_model_can_do(provider, endpoint):
    ProviderModel.objects.update(vision=True)
    endpoint.default = lambda request: Status(429) if "tools" in request else unable(request)

    found = checked(provider)

    assert (found["tools"].state, found["tools"].code) == ("error", "rate_limited")
    assert provider.models.get().tools
    assert not provider.models.get().vision


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Status(401, body={"error": {"message": f"wrong key {KEY}"}}), "unauthorized"),
        (Status(404), "model_missing"),
        (Status(429), "rate_limited"),
        (Status(500), "unreachable"),
        (Garbage(b"<html>welcome</html>"), "garbage"),
        (Die(0), "unreachable"),
        (Die(2), "works"),
    ],
)
def test_each_failure_has_a_sentence_of_its_own(provider, endpoint, reply, code):
    endpoint.default = reply

    found = checked(provider)

    assert found["models"].state == "works"
    if code != "works":
        assert (found["answer"].state, found["answer"].code) == ("error", code)
        assert set(found) == {"models", "answer"}
        assert provider.models.get().checked_at is None
    check = ConnectionCheck.objects.latest("pk")
    said = " ".join(line.sentence + line.detail for line in sentences.lines(check, timezone.now()))
    assert KEY not in said
    if code != "works":
        assert str(sentences.PROBLEMS[code]) in said


def test_a_model_that_never_begins_is_given_up(provider, endpoint):
    provider.first_token_timeout_seconds = 1
    provider.save()
    endpoint.default = Hang()

    assert checked(provider)["answer"].code == "timed_out"


def test_nobody_at_the_address_is_said_once(provider):
    Provider.objects.update(base_url="http://127.0.0.1:9/v1")

    found = checked(Provider.objects.get())

    assert {step: outcome.code for step, outcome in found.items()} == {"models": "unreachable"}


def test_an_endpoint_without_a_list_of_models_is_tested_all_the_same(provider, endpoint):
    endpoint.statuses["/v1/models"] = 404

    found = checked(provider)

    assert (found["models"].code, found["answer"].state) == ("model_missing", "works")


def test_without_a_model_only_the_list_is_asked(provider, endpoint):
    assert set(checked(provider, "")) == {"models"}
    assert not endpoint.requests


def test_the_environment_can_be_tested(db, endpoint, settings):
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.OPENAI_MODEL = endpoint.url, KEY, "quick"

    assert checked(None)["vision"].state == "works"


def test_a_newer_test_ends_the_older_one(provider, endpoint):
    check = ConnectionCheck.objects.create(provider=provider, model_name="quick")

    def superseding(request):
        ConnectionCheckGone.append(request)
        return able(request)

    ConnectionCheckGone: list[object] = []
    endpoint.default = superseding
    newer = checking.start(provider, "quick", timezone.now())
    checking.run(check.pk)

    assert not ConnectionCheckGone
    assert checking.latest(provider) == newer


def test_a_test_whose_worker_died_is_not_waited_for_for_ever(provider):
    now = timezone.now()
    check = ConnectionCheck(provider=provider, model_name="quick", updated_at=now)

    assert not checking.is_silent(check, now + timedelta(minutes=3))
    assert checking.is_silent(check, now + timedelta(minutes=8))
    assert not [line for line in sentences.lines(check, now + timedelta(minutes=8)) if line.kind == "busy"]


def test_a_picture_has_two_colours():
    assert trials.two_colours("red", "blue").startswith(b"\x89PNG")


def test_the_key_is_in_no_log_of_a_test(provider, endpoint, caplog):
    caplog.set_level("DEBUG")
    endpoint.default = Status(401, body={"error": {"message": f"wrong key {KEY}"}})

    checked(provider)

    assert KEY not in caplog.text
