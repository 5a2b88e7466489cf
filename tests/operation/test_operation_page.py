"""The operator's page."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from gptbuilder.operation import charts, figures, parts
from gptbuilder.web import presence, redis_client

pytestmark = pytest.mark.django_db

PAGE = "/administration/operation/"


def states() -> dict[str, tuple[str, str]]:
    from django.utils import timezone

    return {str(part.name): (part.state, part.says) for part in parts.states(timezone.now())}


def test_nobody_but_the_staff_learns_that_the_page_exists(as_person, ada):
    assert Client().get(PAGE).status_code == 404
    assert as_person(ada).get(PAGE).status_code == 404


def test_the_page_shows_what_happened_and_htmx_gets_the_part_that_changes(as_person, mo, ended_run):
    ended_run()
    ended_run(status="failed", error_code="unreachable", first_token_at=None)

    whole = as_person(mo).get(PAGE).text
    part = as_person(mo).get(PAGE, headers={"HX-Request": "true"}).text

    assert whole.startswith("{#") is False and "<html" in whole and "<html" not in part
    for text in (whole, part):
        assert "0.50 s" in text
        assert "unreachable" in text and "The language model cannot be reached just now." in text


def test_the_page_asks_few_questions(as_person, mo, ended_run, django_assert_max_num_queries):
    ended_run()
    client = as_person(mo)
    client.get(PAGE)

    with django_assert_max_num_queries(12):
        client.get(PAGE)


def test_what_is_said_in_a_conversation_is_not_shown(as_person, mo, ended_run):
    ended_run(status="failed", error_code="internal", error_detail="DETAIL: Where to?")

    assert "Where to?" not in as_person(mo).get(PAGE).text


def test_services_that_live_are_good_and_silent_ones_are_not():
    assert states()["Answering"][0] == "bad"
    assert states()["Clock"][0] == "bad"

    for kind in ("web", "runs", "indexing"):
        presence.note(kind)
    presence.note_clock()

    found = states()
    assert {name: state for name, (state, _) in found.items() if name != "Disk"} == dict.fromkeys(
        ("Database", "Redis", "Language model", "Pages", "Answering", "Background work", "Clock"), "good"
    )


def test_a_clock_that_stands_still_is_noticed():
    redis_client.connection().hset(presence.KEY, "clock@", f"[{time.time() - 60}, 0, 0]")

    state, says = states()["Clock"]

    assert state == "bad" and "Interrupted answers wait for it" in says


def test_an_endpoint_that_fails_is_told_by_its_answers(ended_run):
    ended_run()
    ended_run()
    ended_run(status="failed", error_code="unreachable")
    assert states()["Language model"][0] == "caution"

    ended_run(status="failed", error_code="timed_out")
    assert states()["Language model"][0] == "bad"


def test_without_redis_the_page_says_so_and_shows_the_rest(as_person, mo, settings, ended_run):
    ended_run()
    client = as_person(mo)
    redis_client.connection.cache_clear()
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:9/0"}
    }
    try:
        text = client.get(PAGE).text
    finally:
        redis_client.connection.cache_clear()

    assert "Does not answer." in text and "Unknown while Redis does not answer." in text
    assert "0.50 s" in text


def test_a_single_failure_among_many_answers_is_still_seen(ended_run):
    from django.utils import timezone

    span = figures.Span(timezone.now(), answered=10_000, failed=1)

    pieces = charts.answers([span]).pieces

    assert [piece.kind for piece in pieces] == ["good", "bad"]
    assert pieces[1].height >= 1.5
