"""Uploaded pictures are re-encoded; drawn ones are always the same."""

from __future__ import annotations

from io import BytesIO
from xml.etree import ElementTree

import pytest
from django.urls import reverse
from PIL import Image

from gptbuilder.gpts import access, drafts, pictures, versions
from gptbuilder.gpts.models import GPT
from gptbuilder.web.images import PictureRefused
from tests import world


def encoded(kind: str = "PNG", size: tuple[int, int] = (900, 600), **options: object) -> BytesIO:
    buffer = BytesIO()
    Image.new("RGB", size, "teal").save(buffer, kind, **options)
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_becomes_a_square_webp(kind):
    image = Image.open(BytesIO(pictures.encode(encoded(kind).getvalue())))

    assert (image.format, image.size) == ("WEBP", (512, 512))


def test_nothing_of_the_original_metadata_is_kept():
    exif = Image.Exif()
    exif[0x010E] = "taken at home"

    image = Image.open(BytesIO(pictures.encode(encoded("JPEG", exif=exif).getvalue())))

    assert not image.getexif()


def bomb() -> bytes:
    """A PNG that says it is 60,000 pixels wide and high."""
    return (
        encoded(size=(1, 1))
        .getvalue()
        .replace(b"\x00\x00\x00\x01\x00\x00\x00\x01", b"\x00\x00\xea\x60\x00\x00\xea\x60", 1)
    )


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", encoded().getvalue()[:200], bomb()],
    ids=["empty", "text", "svg", "cut off", "bomb"],
)
def test_what_is_no_picture_is_refused_with_a_sentence(data):
    with pytest.raises(PictureRefused) as refused:
        pictures.encode(data)

    assert str(refused.value).endswith(".")


@pytest.mark.django_db
def test_the_same_picture_is_stored_once(ada):
    gpt = world.trail_planner(ada)

    assert pictures.receive(gpt, encoded()) == pictures.receive(gpt, encoded())


@pytest.mark.django_db
def test_a_picture_is_seen_by_its_owner_and_with_the_link_by_everybody(ada, cleo, as_person, client):
    gpt = world.trail_planner(ada)
    picture = pictures.receive(gpt, encoded())
    drafts.apply(gpt.pk, {"picture_id": picture.pk})
    address = reverse("gpts:picture", args=[gpt.pk, picture.pk])

    assert as_person(ada).get(address)["Content-Type"] == "image/webp"
    assert as_person(cleo).get(address).status_code == 404
    assert client.get(address).status_code == 404

    versions.publish(gpt, by=ada, now=gpt.created_at)
    gpt.refresh_from_db()
    access.share(gpt, GPT.Audience.LINK)
    assert client.get(address).status_code == 200


def test_a_drawn_figure_is_the_same_for_a_seed_and_well_formed():
    seeds = [pictures.seed_of(f"gpt_{number}", name) for number, name in enumerate(["Trail", "山路", "", "!!", "<b>"])]

    for seed in seeds:
        assert pictures.draw(seed) == pictures.draw(seed)
        ElementTree.fromstring(pictures.draw(seed))
    assert len({pictures.draw(seed) for seed in seeds}) == len(seeds)


@pytest.mark.parametrize("seed", ["x", "0" * 12 + "-3c", "../../etc/passwd", "a" * 11])
def test_a_made_up_seed_draws_nothing_harmful(client, seed):
    response = client.get(f"/avatars/{seed}.svg")

    if response.status_code != 404:
        ElementTree.fromstring(response.content)
