"""Files that nobody lists any more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from gptbuilder.gpts import files, versions
from gptbuilder.knowledge import holding, uploads
from gptbuilder.knowledge.models import KnowledgeFile
from tests import world

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def now():
    return timezone.now() + timedelta(hours=2)


@pytest.fixture
def gpt(ada):
    return world.trail_planner(ada)


@pytest.fixture
def file(ada, gpt) -> KnowledgeFile:
    file = uploads.receive(gpt.workspace, ada, "trails.txt", ContentFile(b"Take a map."))
    files.add(gpt, [file])
    return file


def is_erased(file: KnowledgeFile) -> bool:
    return KnowledgeFile.objects.get(pk=file.pk).is_erased


def test_a_file_of_a_draft_stays(file, now):
    holding.let_go(now)
    holding.let_go(now + 30 * DAY)

    assert not is_erased(file)


def test_a_file_of_a_version_stays_when_the_draft_lets_it_go(ada, gpt, file, now):
    versions.publish(gpt, ada, now)
    files.remove(gpt, file.pk)

    holding.let_go(now)
    holding.let_go(now + 30 * DAY)

    assert not is_erased(file)


def test_a_removed_file_is_erased_after_a_week(gpt, file, now):
    files.remove(gpt, file.pk)

    holding.let_go(now)
    assert holding.let_go(now + 6 * DAY) == 0
    assert holding.let_go(now + 8 * DAY) == 1

    assert is_erased(file)


def test_a_file_that_came_back_starts_anew(gpt, file, now):
    entry = {"id": file.pk, "name": "trails.txt", "mode": "search"}
    files.remove(gpt, file.pk)
    holding.let_go(now)
    files.put_back(gpt, entry, 0)

    assert holding.let_go(now + 8 * DAY) == 0

    files.remove(gpt, file.pk)
    assert holding.let_go(now + 9 * DAY) == 0


def test_a_deleted_gpt_takes_its_files_along(gpt, file, now):
    gpt.delete()

    holding.let_go(now)
    holding.let_go(now + 8 * DAY)

    assert is_erased(file)
