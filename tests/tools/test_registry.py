"""What a run works with."""

from __future__ import annotations

import pytest

from gptbuilder.gpts import drafts, versions
from gptbuilder.gpts.models import Draft
from gptbuilder.tools import models, registry
from tests import world

pytestmark = pytest.mark.django_db


def context(person, purpose="chat", subject_id=None) -> registry.Context:
    return registry.Context(person, purpose, subject_id, "Hello", models.entry())


def test_a_chat_hears_the_instructions_and_has_no_tools(ada):
    version = versions.snapshot(world.trail_planner(ada).draft)

    equipment = registry.equipment(version, context(ada))

    assert equipment.system.startswith("You are Trail Planner. Day hikes")
    assert "Ask how old the children are" in equipment.system
    assert equipment.tools == ()


def test_the_builder_sees_the_draft_and_may_write_it(ada):
    gpt = world.trail_planner(ada)
    version = versions.snapshot(gpt.draft)

    equipment = registry.equipment(version, context(ada, "builder", gpt.pk))

    assert "Name: Trail Planner" in equipment.system
    assert [tool.name for tool in equipment.tools] == ["update_behavior"]
    assert equipment.label("update_behavior") == "Writing the draft"


def test_with_an_image_model_the_builder_draws_the_picture(ada, upstream, settings):
    settings.IMAGE_MODEL = "painter"
    gpt = world.trail_planner(ada)
    equipment = registry.equipment(versions.snapshot(gpt.draft), context(ada, "builder", gpt.pk))
    draw = next(tool for tool in equipment.tools if tool.name == "generate_profile_pic")

    output = draw.run({"prompt": "A mountain path"}, "call_1")

    picture = Draft.objects.get(gpt=gpt).picture
    assert picture is not None and picture.gpt == gpt
    assert output.data["changes"] == [{"field": "picture_id", "before": None, "after": picture.pk}]


def test_an_operator_may_give_the_builder_other_instructions(ada):
    gpt = drafts.create(ada)
    drafts.apply(gpt.pk, {"instructions": "Speak like a pirate."})
    version = versions.snapshot(Draft.objects.get(gpt=gpt))

    equipment = registry.equipment(version, context(ada, "builder", gpt.pk))

    assert equipment.system.startswith("Speak like a pirate.")
