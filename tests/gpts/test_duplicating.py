"""A GPT made from another one's draft."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from gptbuilder.gpts import drafts, duplicating, pictures
from gptbuilder.gpts.models import GPT, Configuration
from tests import world

pytestmark = pytest.mark.django_db


def test_a_copy_has_the_draft_and_nothing_else(ada):
    gpt = world.shared_trail_planner(ada)
    drafts.lock(gpt.pk, "name")
    gpt = GPT.objects.select_related("draft").get(pk=gpt.pk)

    copy = GPT.objects.select_related("draft").get(pk=duplicating.duplicate(gpt, ada).pk)

    assert copy.draft.name == "Trail Planner copy"
    assert copy.draft.configuration() == gpt.draft.configuration() | {"name": "Trail Planner copy"}
    assert (copy.audience, copy.link_token, copy.live_version, copy.draft.locked_fields) == ("private", None, None, [])


def test_the_picture_is_a_file_of_its_own(ada):
    gpt = world.trail_planner(ada)
    file = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    drafts.apply(gpt.pk, {"picture_id": pictures.receive(gpt, BytesIO(file.getvalue())).pk})
    gpt = GPT.objects.select_related("draft__picture").get(pk=gpt.pk)

    copy = duplicating.duplicate(gpt, ada)

    copied = copy.pictures.get()
    assert GPT.objects.get(pk=copy.pk).draft.picture == copied
    assert copied.file.name != gpt.draft.picture.file.name
    with copied.file.open() as one, gpt.draft.picture.file.open() as other:
        assert one.read() == other.read()


def test_a_long_name_is_cut_and_the_word_is_kept():
    name = duplicating.name_of_copy("x" * Configuration.NAME_LENGTH)

    assert name.endswith(" copy") and len(name) == Configuration.NAME_LENGTH
    assert duplicating.name_of_copy("") == ""
