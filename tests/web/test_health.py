"""What supervisors and load balancers ask."""

from __future__ import annotations

import pytest
from django.test import Client


def test_alive_without_a_database():
    assert Client().get("/healthz").content == b"ok\n"


@pytest.mark.django_db
def test_ready_when_every_part_answers():
    response = Client().get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"ready": True, "parts": {"database": "ok", "migrations": "ok", "redis": "ok"}}


@pytest.mark.django_db
def test_not_ready_when_redis_is_gone(settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:9/0"}
    }

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.json()["parts"] == {"database": "ok", "migrations": "ok", "redis": "no answer"}


@pytest.mark.django_db
def test_not_ready_while_migrations_wait():
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="sessions").delete()

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.json()["parts"]["migrations"] == "1 not applied"
