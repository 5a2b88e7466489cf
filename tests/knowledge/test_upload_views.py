"""Uploads over HTTP."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest
from django.test import Client

from gptbuilder.knowledge.models import Upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(ada, as_person) -> Client:
    return as_person(ada)


def announce(client: Client, size: int = 11, name: str = "trails.txt"):
    return client.post("/files/uploads/", json.dumps({"name": name, "size": size}), content_type="application/json")


def patch(client: Client, url: str, at: int, piece: bytes):
    return client.patch(url, piece, content_type="application/offset+octet-stream", headers={"Upload-Offset": str(at)})


def test_a_file_is_announced_and_sent_in_pieces(client):
    url = announce(client).json()["url"]

    first = patch(client, url, 0, b"Take ")
    asked = client.head(url)
    second = patch(client, url, 5, b"a map.")

    assert (first.status_code, first["Upload-Offset"]) == (204, "5")
    assert (asked["Upload-Offset"], asked["Upload-Length"]) == ("5", "11")
    assert second["Upload-Offset"] == "11"


def test_a_piece_at_the_wrong_place_is_told_the_right_one(client):
    url = announce(client).json()["url"]
    patch(client, url, 0, b"Take ")

    response = patch(client, url, 3, b"e ")

    assert (response.status_code, response["Upload-Offset"]) == (409, "5")


def test_what_is_too_large_is_refused_with_a_sentence(client, settings):
    settings.KNOWLEDGE_FILE_MAX_BYTES = 10

    response = announce(client)

    assert response.status_code == 422
    assert "“trails.txt” is larger than" in unquote(response["X-Problem"])


@pytest.mark.parametrize("body", [b"", b"[]", b'{"name": "x"}', b'{"name": "x", "size": "many"}', b"\xff"])
def test_nonsense_is_refused(client, body):
    assert client.post("/files/uploads/", body, content_type="application/json").status_code == 400


@pytest.mark.parametrize("offset", ["", "-1", "many", "٣"])
def test_an_offset_is_a_number(client, offset):
    url = announce(client).json()["url"]

    response = client.patch(url, b"x", headers={"Upload-Offset": offset})

    assert response.status_code == 400


def test_an_upload_can_be_given_up(client):
    url = announce(client).json()["url"]

    assert client.delete(url).status_code == 204
    assert not Upload.objects.exists()


def test_nobody_else_can_go_on_with_an_upload(client, cleo, as_person):
    url = announce(client).json()["url"]

    for stranger in (as_person(cleo), Client()):
        assert patch(stranger, url, 0, b"x").status_code == 404
        assert stranger.head(url).status_code == 404
        assert stranger.delete(url).status_code == 404
    assert announce(Client()).status_code == 404
    assert Upload.objects.get().received_bytes == 0
