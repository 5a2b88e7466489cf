"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
import redis
from django.conf import settings
from django.test import Client

import gptbuilder.celery  # noqa: F401  (tasks find their broker, as in every process of the site)
from gptbuilder.accounts.models import User
from gptbuilder.providers import entries
from tests import world

pytest_plugins = ["tests.site"]
# Nothing is timed in a test.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test first, so that the others run beside it and nobody waits for it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("real_model") is None)


@pytest.fixture(autouse=True)
def empty_redis() -> None:
    """Limits and streams of one test are not those of the next."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()


@pytest.fixture(autouse=True)
def no_remembered_models() -> None:
    """A process remembers providers for seconds; one test's are not those of the next."""
    entries.forget()


@pytest.fixture(autouse=True)
def own_files_and_quick_passwords(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"
    # What a real password costs is not what these tests are about.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def ada(db) -> User:
    return world.person("Ada")


@pytest.fixture
def ben(db) -> User:
    return world.person("Ben")


@pytest.fixture
def cleo(db) -> User:
    return world.person("Cleo")


@pytest.fixture
def mo(db) -> User:
    return world.person("Mo")


@pytest.fixture
def as_person():
    """A client signed in as this person."""

    def signed_in(person: User) -> Client:
        client = Client()
        client.force_login(person, backend="gptbuilder.accounts.backends.PageBackend")
        return client

    return signed_in


@pytest.fixture
def upstream(settings) -> Iterator[object]:
    """A scripted model behind a real HTTP server, used by every run of the test."""
    from tests.upstream import ScriptedUpstream

    with ScriptedUpstream() as server:
        settings.OPENAI_BASE_URL = server.url
        settings.OPENAI_API_KEY = "test-key"
        settings.OPENAI_MODEL = "scripted"
        yield server
