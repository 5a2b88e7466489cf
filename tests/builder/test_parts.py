"""How a small model's parts become instructions."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from gptbuilder.builder import parts
from gptbuilder.conversations import execution, turns
from gptbuilder.gpts import builtin, drafts
from gptbuilder.gpts.models import Draft
from tests import upstream as scripted

WRITTEN = {
    "name": "Hike Guide",
    "description": "Plans hikes for families near Bern.",
    "role": "You are a hiking guide.",
    "steps": ["Ask how old the children are.", "Suggest two hikes."],
    "tone": "Cheerful.",
    "avoid": ["Never suggest a car."],
    "starters": ["Where to on Sunday?", "A lake, please", "It rains", "Two hours"],
    "reply": "I made Hike Guide. Does the name suit you?",
}


def test_instructions_keep_the_persons_own_words():
    text = parts.compose(WRITTEN, ["We live near Bern and have no car."])

    assert "You are a hiking guide." in text
    assert "1. Ask how old the children are." in text
    assert text.endswith("> We live near Bern and have no car.")


def test_the_words_of_earlier_turns_stay_in_order_and_once():
    first = parts.compose(WRITTEN, parts.own_words("", "We have\nno car."))
    second = parts.compose(WRITTEN, parts.own_words(first, "Never over 8 km."))
    third = parts.compose(WRITTEN, parts.own_words(second, "Never over 8 km."))

    assert parts.own_words(third, "Never over 8 km.") == ["We have no car.", "Never over 8 km."]


def test_chinese_words_are_kept_between_chinese_headings():
    text = parts.compose(WRITTEN, parts.own_words("", "帮小学生练习写作文"))

    assert parts.own_words(text, "不要替他们写") == ["帮小学生练习写作文", "不要替他们写"]
    assert "制作者的原话：" in text


@pytest.fixture
def small_model(upstream, settings):
    settings.MODEL_TOOLS = False
    return upstream


@pytest.mark.django_db(transaction=True)
def test_a_turn_with_a_small_model_asks_it_once_and_answers_with_its_reply(ada, small_model):
    gpt = drafts.create(ada)
    thread = turns.start_thread(ada, builtin.builder_gpt(), purpose="builder", subject=gpt)
    run = turns.start_turn(thread, ada, "Hikes with kids. We have no car.", timezone.now())
    small_model.script(scripted.Text(json.dumps(WRITTEN)))

    execution.execute(run.pk)

    run.refresh_from_db()
    draft = Draft.objects.get(gpt=gpt)
    assert len(small_model.requests) == 1
    assert run.answer.text == WRITTEN["reply"]
    assert (draft.name, draft.starters) == ("Hike Guide", WRITTEN["starters"])
    assert "We have no car." in draft.instructions


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("said", "name"), [("Never over 8 km.", "Trail Planner"), ("Call it Hike Guide", "Hike Guide")]
)
def test_a_name_stays_unless_the_person_speaks_of_it(ada, small_model, said, name):
    gpt = drafts.create(ada)
    drafts.apply(gpt.pk, {"name": "Trail Planner"})

    parts.UpdateBehaviorInParts(gpt.pk, said).run(WRITTEN, "call_1")

    assert Draft.objects.get(gpt=gpt).name == name
