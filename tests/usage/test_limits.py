"""Counting in windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gptbuilder.usage import limits
from gptbuilder.web import redis_client

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_limit_says_when_it_ends():
    limits.count("test", 1, HOUR, NOW)

    with pytest.raises(limits.LimitReached) as reached:
        limits.count("test", 1, HOUR, NOW)

    assert reached.value.until == datetime(2026, 3, 1, 13, tzinfo=UTC)


def test_the_next_window_begins_at_nought():
    limits.count("test", 1, HOUR, NOW)

    limits.count("test", 1, HOUR, NOW + HOUR)


def test_without_redis_nothing_is_refused(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis_client.connection.cache_clear()

    try:
        for _ in range(3):
            limits.count("test", 1, HOUR, NOW)
    finally:
        redis_client.connection.cache_clear()
