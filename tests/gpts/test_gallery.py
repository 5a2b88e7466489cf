"""The example GPTs."""

from __future__ import annotations

import pytest
from django.conf import settings

from gptbuilder.gpts import drafts, gallery
from gptbuilder.gpts.models import Draft
from gptbuilder.web import markdown

LANGUAGES = [code for code, _name in settings.LANGUAGES]
EVERY = [example for language in LANGUAGES for example in gallery.examples(language)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_dozen(language):
    assert len(gallery.examples(language)) == 12


def test_an_address_leads_to_one_example_only():
    assert len({example.slug for example in EVERY}) == len(EVERY)


@pytest.mark.parametrize("example", EVERY, ids=lambda example: example.slug)
def test_an_example_fits_into_a_draft_as_it_stands(example):
    values = {field: getattr(example, field) for field in ("name", "description", "instructions")}

    fitted = drafts.fitted({**values, "starters": list(example.starters)})

    assert fitted["name"] == example.name and fitted["description"] == example.description
    assert fitted["instructions"] == example.instructions.strip()
    assert fitted["starters"] == list(example.starters) and len(example.starters) == 4


@pytest.mark.parametrize("example", EVERY, ids=lambda example: example.slug)
def test_its_markdown_reads_without_left_over_marks(example):
    assert "**" not in markdown.render(example.instructions)


def test_a_language_without_examples_gets_the_first_one():
    assert gallery.examples("tlh") == gallery.examples("en")


@pytest.mark.django_db
def test_adopting_one_makes_a_draft_of_it(ada):
    example = gallery.examples("zh-hans")[0]

    gpt = gallery.adopt(example, ada)

    draft = Draft.objects.get(gpt=gpt)
    assert (gpt.owner, draft.name, draft.starters) == (ada, example.name, list(example.starters))
