"""The example GPTs that every installation brings, in each language of its own: `examples/<language>.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from gptbuilder.accounts.models import User
from gptbuilder.gpts import drafts, pictures
from gptbuilder.gpts.models import GPT

FOLDER = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Example:
    """A GPT to read and to take over. `slug` is unique in all languages."""

    slug: str
    language: str
    topic: str
    name: str
    description: str
    instructions: str
    starters: tuple[str, ...]

    @property
    def picture(self) -> str:
        return reverse("gpts:avatar", args=[pictures.seed_of(self.slug, self.name)])


@cache
def examples(language: str) -> tuple[Example, ...]:
    """The examples of this language, in the order of its file; those of the first language when it has none."""
    if language not in dict(settings.LANGUAGES):
        language = settings.LANGUAGES[0][0]
    with (FOLDER / f"{language}.toml").open("rb") as file:
        rows = tomllib.load(file)["examples"]
    return tuple(Example(language=language, **{**row, "starters": tuple(row["starters"])}) for row in rows)


def example(slug: str) -> Example | None:
    every = (found for language, _name in settings.LANGUAGES for found in examples(language))
    return next((found for found in every if found.slug == slug), None)


def adopt(example: Example, owner: User) -> GPT:
    """A GPT of this person with the example's draft."""
    with transaction.atomic():
        gpt = drafts.create(owner)
        values = {field: getattr(example, field) for field in ("name", "description", "instructions")}
        drafts.apply(gpt.pk, {**values, "starters": list(example.starters)})
    return gpt
