"""The files of a GPT, through its draft and its versions."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError
from django.utils import timezone

from gptbuilder.gpts import duplicating, files, versions
from gptbuilder.gpts.models import GPT, Draft, GPTVersion
from gptbuilder.knowledge import uploads
from gptbuilder.knowledge.models import Content, KnowledgeFile
from gptbuilder.knowledge.uploads import UploadRefused
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def gpt(ada) -> GPT:
    return world.trail_planner(ada)


def give(gpt: GPT, name: str = "trails.txt", data: bytes = b"Take a map.") -> KnowledgeFile:
    file = uploads.receive(gpt.workspace, gpt.owner, name, ContentFile(data))
    files.add(gpt, [file])
    return file


def names(gpt: GPT) -> list[str]:
    return [entry["name"] for entry in Draft.objects.get(gpt=gpt).files]


def published(gpt: GPT) -> GPTVersion:
    return versions.publish(gpt, gpt.owner, timezone.now())


def test_files_stand_in_the_order_they_came(gpt):
    give(gpt)
    give(gpt, "huts.txt", b"Huts.")

    assert names(gpt) == ["trails.txt", "huts.txt"]


def test_the_same_content_is_listed_once(gpt):
    give(gpt)
    give(gpt, "again.txt")

    assert names(gpt) == ["trails.txt"]


def test_there_is_a_limit(gpt, settings):
    settings.KNOWLEDGE_FILES_PER_GPT = 1
    give(gpt)

    with pytest.raises(UploadRefused, match="1 files"):
        give(gpt, "huts.txt", b"Huts.")

    assert names(gpt) == ["trails.txt"]


def test_a_version_keeps_what_the_draft_removes_and_brings_it_back(gpt):
    file = give(gpt)
    version = published(gpt)
    files.rename(gpt, file.pk, "paths.txt")
    files.remove(gpt, file.pk)

    assert names(gpt) == []
    assert version.files[0]["name"] == "trails.txt"
    versions.restore(version)
    assert names(gpt) == ["trails.txt"]


def test_a_published_version_never_changes_its_files(gpt):
    give(gpt)
    version = published(gpt)

    with pytest.raises(IntegrityError, match="frozen"):
        GPTVersion.objects.filter(pk=version.pk).update(files=[])


def test_a_restore_says_what_was_erased(gpt):
    file = give(gpt)
    give(gpt, "huts.txt", b"Huts.")
    version = published(gpt)

    files.erase(gpt, file.pk, timezone.now())
    versions.restore(version)

    assert files.missing(version) == ["trails.txt"]
    assert [held.is_missing for held in files.held(Draft.objects.get(gpt=gpt))] == [True, False]


def test_erasing_takes_the_bytes_and_names_the_versions_before(gpt, django_capture_on_commit_callbacks):
    file = give(gpt)
    first = published(gpt)
    stored = file.content.file

    assert files.versions_with(file.pk) == [first]
    with django_capture_on_commit_callbacks(execute=True):
        files.erase(gpt, file.pk, timezone.now())

    assert not stored.storage.exists(stored.name)
    assert not Content.objects.exists()
    assert names(gpt) == []


def test_nobody_erases_a_file_of_another_workspace(gpt, ben):
    mine = give(gpt)
    other = world.trail_planner(ben)

    files.erase(other, mine.pk, timezone.now())

    assert not KnowledgeFile.objects.get(pk=mine.pk).is_erased


def test_a_file_of_another_workspace_cannot_be_put_in(gpt, ben):
    theirs = give(world.trail_planner(ben))

    files.put_back(gpt, {"id": theirs.pk, "name": "trails.txt", "mode": "search"}, 0)

    assert names(gpt) == []


def test_a_replacement_takes_the_place_and_the_mode(gpt):
    file = give(gpt)
    give(gpt, "huts.txt", b"Huts.")
    files.set_mode(gpt, file.pk, "full")
    new = uploads.receive(gpt.workspace, gpt.owner, "trails-2.txt", ContentFile(b"Take two."))

    files.replace(gpt, file.pk, new)

    assert [(entry["name"], entry["mode"]) for entry in Draft.objects.get(gpt=gpt).files] == [
        ("trails-2.txt", "full"),
        ("huts.txt", "search"),
    ]


def test_a_duplicate_has_files_of_its_own(gpt):
    file = give(gpt)

    copy = duplicating.duplicate(GPT.objects.get(pk=gpt.pk), gpt.owner)
    files.erase(gpt, file.pk, timezone.now())

    [held] = files.held(Draft.objects.get(gpt=copy))
    assert (held.name, held.is_missing) == ("trails.txt", False)
    assert held.id != file.pk


def test_a_configuration_without_files_keeps_the_digest_it_had(gpt):
    before = Draft.objects.get(gpt=gpt).digest()
    file = give(gpt)

    assert Draft.objects.get(gpt=gpt).digest() != before
    files.remove(gpt, file.pk)
    assert Draft.objects.get(gpt=gpt).digest() == before
