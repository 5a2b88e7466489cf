"""The Configure form, which saves itself."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from gptbuilder.gpts.models import GPT, Draft
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def gpt(ada) -> GPT:
    return world.trail_planner(ada)


@pytest.fixture
def client(ada, as_person) -> Client:
    return as_person(ada)


def picture() -> SimpleUploadedFile:
    file = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(file, "PNG")
    return SimpleUploadedFile("face.png", file.getvalue(), "image/png")


def test_a_field_is_saved_alone(client, gpt):
    response = client.post(f"/gpts/{gpt.pk}/draft/", {"description": "Shorter."})

    draft = Draft.objects.get(gpt=gpt)
    assert (draft.name, draft.description) == ("Trail Planner", "Shorter.")
    assert draft.revision == gpt.draft.revision + 1
    assert b'id="bar-draft"' in response.content
    assert b'id="preview-face" hx-swap-oob="true"' in response.content


def test_starters_are_saved_in_their_order_without_the_empty_ones(client, gpt):
    client.post(f"/gpts/{gpt.pk}/draft/", {"starters": ["", "Second", "First", " "]})

    assert Draft.objects.get(gpt=gpt).starters == ["Second", "First"]


def test_all_starters_can_go(client, gpt):
    client.post(f"/gpts/{gpt.pk}/draft/", {"starters": [""]})

    assert Draft.objects.get(gpt=gpt).starters == []


def test_what_is_too_long_is_said_and_the_rest_is_saved(client, gpt):
    response = client.post(f"/gpts/{gpt.pk}/draft/", {"name": "x" * 41, "description": "Shorter."})

    draft = Draft.objects.get(gpt=gpt)
    assert response.status_code == 422
    assert b'id="name-problem"' in response.content
    assert b"At most 40 characters, this has 41." in response.content
    assert (draft.name, draft.description) == ("Trail Planner", "Shorter.")


def test_fields_that_nobody_offers_are_left_alone(client, gpt):
    client.post(f"/gpts/{gpt.pk}/draft/", {"picture_id": "pic_x", "capabilities": "everything"})

    draft = Draft.objects.get(gpt=gpt)
    assert draft.picture_id is None
    assert draft.capabilities == []


def test_the_same_value_again_is_no_new_revision(client, gpt):
    client.post(f"/gpts/{gpt.pk}/draft/", {"name": "Trail Planner"})

    assert Draft.objects.get(gpt=gpt).revision == gpt.draft.revision


def test_an_own_picture_is_taken_and_can_be_removed(client, gpt):
    client.post(f"/gpts/{gpt.pk}/picture/", {"picture": picture()})
    taken = Draft.objects.get(gpt=gpt).picture_id
    client.delete(f"/gpts/{gpt.pk}/picture/")

    assert taken
    assert Draft.objects.get(gpt=gpt).picture_id is None


def test_a_file_that_is_no_picture_is_refused_with_a_sentence(client, gpt):
    response = client.post(f"/gpts/{gpt.pk}/picture/", {"picture": SimpleUploadedFile("a.png", b"not a picture")})

    assert response.status_code == 422
    assert b"cannot be read as a picture" in response.content


def test_the_form_shows_the_draft_and_keeps_its_line_breaks(client, gpt):
    client.post(f"/gpts/{gpt.pk}/draft/", {"instructions": "One.\r\n\r\nTwo."})

    page = client.get(f"/gpts/{gpt.pk}/edit/configure/").content.decode()

    assert ">\nOne.\n\nTwo.</textarea>" in page


def test_what_this_server_cannot_do_is_said_plainly(client, gpt):
    page = client.get(f"/gpts/{gpt.pk}/edit/configure/").content.decode()

    for part in ("Knowledge", "Capabilities", "Actions"):
        assert part in page
    assert "coming soon" not in page.lower()
