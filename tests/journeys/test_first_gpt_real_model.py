"""The same journey as `make up` gives it to somebody with no model of their own: with the embedded model."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gptbuilder.embedded import model, places, weights
from tests.site import ROOT, Site, running_site

# The first time in a place it may have to fetch 1.1 GB; a turn takes half a minute on two busy cores.
pytestmark = [pytest.mark.real_model, pytest.mark.timeout(2400)]

WISH = "A guide for weekend hikes with children"
TURN_SECONDS = 300


@pytest.fixture(scope="module")
def model_file() -> Path:
    """The verified weights, in the place where an installation keeps them; fetched when they are not there."""
    environment = {name: value for name, value in os.environ.items() if name not in ("GPTBUILDER_HOME", "MODEL_FILE")}
    command = [sys.executable, "-m", "gptbuilder.embedded.model", "--fetch-only"]
    fetched = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if fetched.returncode == model.NOT_FOUND_STATUS:
        pytest.skip(f"THE MODEL IS NOT TESTED: the registry does not have its weights any more. {fetched.stdout}")
    assert fetched.returncode == 0, fetched.stdout + fetched.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GPTBUILDER_HOME", raising=False)
        return places.default_home() / "model" / weights.FILE_NAME


@pytest.fixture(scope="module")
def real_site(model_file: Path) -> Iterator[Site]:
    nothing = {"OPENAI_BASE_URL": "", "OPENAI_API_KEY": "", "OPENAI_MODEL": ""}
    with running_site(MODEL_FILE=str(model_file), **nothing) as site:
        yield site
        site.farewell()


def test_the_embedded_model_makes_a_gpt_that_answers_its_owner_and_a_guest(real_site):
    ada = real_site.member("Ada")
    gpt = ada.new_gpt()

    built = ada.say(f"/gpts/{gpt}/edit/messages/", WISH)
    assert built.answer(TURN_SECONDS)
    assert built.state() == ("completed", 1, "")
    query = "SELECT name, description, instructions, starters FROM gpts_draft WHERE gpt_id = %s"
    ((name, description, instructions, starters),) = real_site.rows(query, gpt)
    assert name.strip()
    assert description.strip()
    assert WISH in instructions
    assert len(starters) >= 3

    previewed = ada.say(f"/gpts/{gpt}/preview/messages/", "Name one easy hike. Five words.")
    previewed.answer(TURN_SECONDS)
    assert "".join(previewed.answers()).strip()

    ben = real_site.visitor()
    link = ada.publish(gpt)
    assert name in ben.read(link)
    asked = ben.say(f"{link}chats/", "Is a lake nice? One sentence.")
    asked.answer(TURN_SECONDS)
    assert "".join(asked.answers()).strip()
