"""The Redis client of this process, for small commands outside of a conversation's stream."""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings


@cache
def connection() -> redis.Redis:
    """Connects when it is used, and again after a fork. Answers within seconds, or raises RedisError or OSError."""
    return redis.Redis.from_url(settings.REDIS_URL, decode_responses=True, socket_connect_timeout=2, socket_timeout=2)
