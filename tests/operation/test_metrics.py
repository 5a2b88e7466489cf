"""What a monitor is told, and who is told it."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from gptbuilder.conversations import turns
from gptbuilder.conversations.models.run import Run
from gptbuilder.gpts import builtin
from gptbuilder.operation import totals
from gptbuilder.web import presence, redis_client

pytestmark = pytest.mark.django_db

TOKEN = {"Authorization": "Bearer a long secret"}


@pytest.fixture(autouse=True)
def token(settings):
    settings.METRICS_TOKEN = "a long secret"


def scraped() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    response = Client().get("/metrics", headers=TOKEN)
    assert response.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def value(name: str, **labels: str) -> float:
    return scraped()[name, frozenset(labels.items())]


def test_only_the_monitor_and_the_staff_learn_that_there_are_figures(as_person, ada, mo):
    assert Client().get("/metrics").status_code == 404
    assert Client().get("/metrics", headers={"Authorization": "Bearer a long guess"}).status_code == 404
    assert Client().get("/metrics", headers={"Authorization": "a long secret"}).status_code == 404
    assert as_person(ada).get("/metrics").status_code == 404

    assert Client().get("/metrics", headers=TOKEN).status_code == 200
    assert as_person(mo).get("/metrics").status_code == 200


def test_without_a_token_in_the_settings_an_empty_one_opens_nothing(settings):
    settings.METRICS_TOKEN = ""

    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_ended_runs_their_tokens_and_the_time_to_the_first_token_are_counted(ended_run):
    ended_run()
    ended_run(status="failed", error_code="unreachable", first_token_at=None, output_tokens=0)

    assert value("gptbuilder_runs_ended_total", state="completed", error="") == 1
    assert value("gptbuilder_runs_ended_total", state="failed", error="unreachable") == 1
    assert value("gptbuilder_tokens_total", direction="input") == 200
    assert value("gptbuilder_tokens_total", direction="output") == 20
    assert value("gptbuilder_first_token_seconds_bucket", le="0.25") == 0
    assert value("gptbuilder_first_token_seconds_bucket", le="0.5") == 1
    assert value("gptbuilder_first_token_seconds_count") == 1
    assert value("gptbuilder_first_token_seconds_sum") == pytest.approx(0.5)


def test_a_total_counts_each_row_once_and_only_grows(ended_run):
    now = timezone.now()
    first = ended_run()
    assert totals.read(now).ended == {"completed ": 1}

    first.thread.delete()
    ended_run(finished_at=now + timedelta(seconds=1))

    assert totals.read(now + timedelta(seconds=20)).ended == {"completed ": 2}
    assert totals.read(now + timedelta(seconds=30)).ended == {"completed ": 2}


def test_a_row_that_may_not_be_visible_yet_is_left_for_the_next_time(ended_run):
    now = timezone.now()
    ended_run(finished_at=now)

    assert totals.read(now + timedelta(seconds=5)).ended == {}
    assert totals.read(now + timedelta(seconds=15)).ended == {"completed ": 1}


def test_after_redis_has_forgotten_all_rows_are_counted_anew(ended_run):
    ended_run()
    totals.read(timezone.now())

    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        client.flushdb()

    assert totals.read(timezone.now()).ended == {"completed ": 1}


def test_runs_that_have_not_ended_are_told_by_state_with_how_long_they_wait(ada):
    run = turns.start_turn(turns.start_thread(ada, builtin.default_gpt()), ada, "Where to?", timezone.now())
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(seconds=90))

    assert value("gptbuilder_runs", state="queued") == 1
    assert value("gptbuilder_runs", state="in_progress") == 0
    assert 90 <= value("gptbuilder_runs_waiting_seconds") < 100


def test_open_streams_are_those_of_all_web_processes_that_live():
    presence.note(presence.WEB, 3)
    line = "[1.0, 1, 40]"
    redis_client.connection().hset(presence.KEY, "web@elsewhere:1", line)

    found = scraped()

    assert found["gptbuilder_streams_open", frozenset()] == 3
    assert redis_client.connection().hexists(presence.KEY, "web@elsewhere:1") is False


def test_what_is_logged_as_an_error_is_counted():
    handler = presence.ErrorCounter()
    handler.handle(logging.makeLogRecord({"levelno": logging.ERROR}))

    assert value("gptbuilder_errors_total") == 1


def test_without_redis_the_database_still_tells(settings, ada):
    redis_client.connection.cache_clear()
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    try:
        found = scraped()
    finally:
        redis_client.connection.cache_clear()

    assert found["gptbuilder_up", frozenset({("service", "redis")})] == 0
    assert found["gptbuilder_up", frozenset({("service", "database")})] == 1
    assert found["gptbuilder_runs", frozenset({("state", "queued")})] == 0


def test_no_figure_names_a_person(ended_run, ada):
    run = ended_run()

    text = Client().get("/metrics", headers=TOKEN).text

    assert not any(name in text for name in (ada.pk, ada.email, run.pk, run.thread_id, run.version.gpt_id))
