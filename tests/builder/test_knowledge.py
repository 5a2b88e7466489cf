"""The files of a draft on the page."""

from __future__ import annotations

import json
from io import BytesIO
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from gptbuilder.gpts import versions
from gptbuilder.gpts.models import GPT, Draft
from gptbuilder.knowledge import uploads
from gptbuilder.knowledge.models import Content, KnowledgeFile
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def gpt(ada) -> GPT:
    return world.trail_planner(ada)


@pytest.fixture
def client(ada, as_person) -> Client:
    return as_person(ada)


@pytest.fixture
def file(client, gpt) -> KnowledgeFile:
    client.post(f"/gpts/{gpt.pk}/files/", {"file": SimpleUploadedFile("trails.txt", b"Take a map.")})
    return KnowledgeFile.objects.get()


def entries(gpt: GPT) -> list[dict[str, str]]:
    return Draft.objects.get(gpt=gpt).files


def set_state(state: str, **fields: object) -> None:
    Content.objects.update(state=state, **fields)


def test_a_finished_upload_is_put_into_the_draft(client, ada, gpt):
    upload = uploads.begin(ada, "trails.txt", 11)
    uploads.go_on(upload, 0, BytesIO(b"Take a map."))

    response = client.post(f"/gpts/{gpt.pk}/files/", {"upload": upload.pk}, headers={"HX-Request": "true"})

    assert [entry["name"] for entry in entries(gpt)] == ["trails.txt"]
    assert "trails.txt" in response.content.decode()
    assert "draft-changed" in response["HX-Trigger"]


def test_somebody_elses_upload_is_not_taken(client, ben, gpt):
    upload = uploads.begin(ben, "trails.txt", 11)
    uploads.go_on(upload, 0, BytesIO(b"Take a map."))

    client.post(f"/gpts/{gpt.pk}/files/", {"upload": upload.pk}, headers={"HX-Request": "true"})

    assert entries(gpt) == []


def test_a_form_without_a_script_sends_files_too(file, gpt):
    assert entries(gpt) == [{"id": file.pk, "name": "trails.txt", "mode": "search"}]


def test_too_many_files_are_refused_with_a_sentence(client, gpt, file, settings):
    settings.KNOWLEDGE_FILES_PER_GPT = 1

    response = client.post(f"/gpts/{gpt.pk}/files/", {"file": SimpleUploadedFile("huts.txt", b"Huts.")})

    assert response.status_code == 422
    assert "Remove one first" in unquote(response["X-Problem"])


@pytest.mark.parametrize(
    ("state", "fields", "sentence"),
    [
        ("uploaded", {}, "It will be read in a moment"),
        ("reading", {}, "Being read"),
        ("words", {"passage_count": 7}, "Searchable by words · 7 passages"),
        ("ready", {"kind": "pdf", "section_count": 12}, "Ready · 12 pages"),
        ("failed", {"outcome": "no_text_layer"}, "no text layer"),
        ("failed", {"outcome": "needs_password"}, "needs a password"),
    ],
)
def test_the_state_is_said_in_plain_words(client, gpt, file, state, fields, sentence):
    set_state(state, **fields)

    page = client.get(f"/gpts/{gpt.pk}/files/").content.decode()

    assert sentence in page
    assert ('type="password"' in page) == (fields.get("outcome") == "needs_password")
    assert ("data-moving" in page) == (state in ("uploaded", "reading"))


def test_meaning_has_a_bar_of_its_own(client, gpt, file, settings):
    settings.LOCAL_EMBEDDING_URL = "http://127.0.0.1:1/v1"
    set_state("words", passage_count=7, embedded_count=3)

    page = client.get(f"/gpts/{gpt.pk}/files/").content.decode()

    assert "Meaning: 3 of 7 passages" in page
    assert '<progress class="meter" max="7" value="3"' in page
    assert "data-moving" in page


def test_a_file_is_renamed_and_given_whole(client, gpt, file):
    client.post(f"/gpts/{gpt.pk}/files/{file.pk}/", {"name": "paths.txt", "mode": "full"})

    assert entries(gpt) == [{"id": file.pk, "name": "paths.txt", "mode": "full"}]


def test_a_removal_can_be_undone(client, gpt, file):
    client.post(f"/gpts/{gpt.pk}/files/{file.pk}/", {"mode": "full"})

    response = client.delete(f"/gpts/{gpt.pk}/files/{file.pk}/")
    assert entries(gpt) == []

    undo = json.loads(response["HX-Trigger"])["toast"]["undo"]
    client.post(undo["url"])
    assert entries(gpt) == [{"id": file.pk, "name": "trails.txt", "mode": "full"}]


def test_a_password_is_sealed_and_the_file_read_again(client, gpt, file, settings):
    settings.FIELD_KEYS = [f"1:{'ab' * 32}"]
    set_state("failed", outcome="needs_password")

    client.post(f"/gpts/{gpt.pk}/files/{file.pk}/reading/", {"password": "open sesame"})

    content = Content.objects.get()
    assert (content.state, content.open_password()) == ("uploaded", "open sesame")
    assert "sesame" not in content.sealed_password


def test_a_server_without_keys_keeps_no_password(client, gpt, file, settings):
    settings.FIELD_KEYS = []
    set_state("failed", outcome="needs_password")

    response = client.post(f"/gpts/{gpt.pk}/files/{file.pk}/reading/", {"password": "open sesame"})

    assert response.status_code == 422
    assert "has no key" in unquote(response["X-Problem"])


def test_erasing_names_the_versions_that_lose_the_file(client, ada, gpt, file, django_capture_on_commit_callbacks):
    from django.utils import timezone

    versions.publish(gpt, ada, timezone.now())

    warning = client.get(f"/gpts/{gpt.pk}/files/{file.pk}/erasure/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/gpts/{gpt.pk}/files/{file.pk}/erasure/")

    assert "Trail Planner, version 1" in warning
    assert KnowledgeFile.objects.get().is_erased
    assert not Content.objects.exists()


def test_a_restored_version_says_which_file_is_missing(client, ada, gpt, file):
    from django.utils import timezone

    version = versions.publish(gpt, ada, timezone.now())
    client.post(f"/gpts/{gpt.pk}/files/{file.pk}/erasure/")

    response = client.post(f"/gpts/{gpt.pk}/versions/{version.pk}/restoration/", headers={"HX-Request": "true"})
    page = client.get(f"/gpts/{gpt.pk}/files/").content.decode()

    assert "Erased since, so not in it: trails.txt." in json.loads(response["HX-Trigger"])["toast"]["text"]
    assert "It cannot come back" in page


def test_the_owner_downloads_what_was_uploaded(client, gpt, file):
    response = client.get(f"/gpts/{gpt.pk}/files/{file.pk}/content/")

    assert b"".join(response.streaming_content) == b"Take a map."
    assert 'filename="trails.txt"' in response["Content-Disposition"]
    assert response["Content-Type"] == "application/octet-stream"


def test_rules_are_kept_and_nonsense_is_none(client, gpt, file):
    client.post(f"/gpts/{gpt.pk}/files/rules/", {"is_confidential": "on", "quote_words": "25"})
    draft = Draft.objects.get(gpt=gpt)
    assert (draft.is_confidential, draft.quote_words) == (True, 25)

    client.post(f"/gpts/{gpt.pk}/files/rules/", {"quote_words": "-3"})
    draft.refresh_from_db()
    assert (draft.is_confidential, draft.quote_words) == (False, None)


def test_a_file_of_another_gpt_is_not_found(client, ada, gpt, file):
    other = world.trail_planner(ada)

    assert client.get(f"/gpts/{other.pk}/files/{file.pk}/content/").status_code == 404
    assert client.post(f"/gpts/{other.pk}/files/{file.pk}/erasure/").status_code == 404
    assert not KnowledgeFile.objects.get().is_erased
