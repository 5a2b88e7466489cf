"""What a screen reader is told while an answer streams: the transcript in the documentation is this one.

`TRANSCRIPT=1 make test T=tests/browser/test_screen_reader.py` writes it anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.hearing import Ear, Heard
from tests.browser.window import Window, answers, say
from tests.site import Site
from tests.upstream import Pieces, Status, Text, ToolCalls
from tests.waiting import until

pytestmark = pytest.mark.browser

DOCUMENT = Path(__file__).parents[2] / "docs" / "explanation" / "what-a-screen-reader-hears.md"
PIECES = (
    "For Sunday ",
    "I would take the **mill lake**. It is flat, and a bus stops there. ",
    "You need:\n\n1. boots\n2. a ",
    "map\n\n| Hike | Length |\n| --- | --- |\n| Mill lake | 4 km |\n\n",
    "```python\nprint('four. ",
    "kilometres')\n```\n\n",
    "下雨就改天。",
    "See the [timetable](https://example.org/bus), and have a good day",
)
HEARD = [
    "Thinking…",
    "For Sunday I would take the mill lake. It is flat, and a bus stops there.",
    "You need: 1. boots",
    "2. a map Hike, Length. Mill lake, 4 km.",
    "Code block, python.",
    "下雨就改天。",
    "See the timetable, and have a good day",
    "Answer complete",
]
DRAFT = {"name": "Trail Planner", "instructions": "Ask how old the children are."}


@pytest.fixture
def window(site: Site, open_window) -> Window:
    opened: Window = open_window(site.member("Ada"))
    Ear.listen(opened.context)
    return opened


@pytest.fixture
def page(window: Window) -> Page:
    return window.page


@pytest.fixture
def ear(page: Page) -> Ear:
    page.goto("/c/")
    return Ear(page)


def test_an_answer_is_told_by_the_sentence_and_its_beginning_and_end(site: Site, page: Page, ear: Ear):
    site.script.script(Pieces(PIECES))
    heard: list[Heard] = []

    say(page, "Where to on Sunday?")
    heard += ear.told("Thinking…")
    expect(answers(page)).to_contain_text("For Sunday")
    for said in HEARD[1:-2]:
        for _ in range(2 if "Code" in said else 1):
            site.script.go_on()
        heard += ear.told(said)
    site.script.go_on()
    expect(answers(page)).to_contain_text("a good day")
    site.script.go_on()
    heard += ear.told("Answer complete")

    assert [one.text for one in heard] == HEARD
    assert {one.how for one in heard} == {"polite"}
    documented("An answer", "You send “Where to on Sunday?”", heard)


def test_many_words_are_few_announcements(site: Site, page: Page, ear: Ear):
    """No spam: a hundred sentences of a quick model are told in a handful of breaths."""
    site.script.script(Text(" ".join(f"This is sentence {number}." for number in range(100)), token_delay=0.005))

    say(page, "A hundred, please")
    heard = ear.told("Answer complete")

    assert len(heard) <= 8
    assert " ".join(one.text for one in heard[1:-1]).count("This is sentence") == 100


def test_a_stop_is_told(site: Site, page: Page, ear: Ear):
    site.script.script(Pieces(("It is far. ", "It is steep. ")))

    say(page, "And the cave?")
    heard = ear.told("It is far.")
    page.keyboard.press("Escape")
    heard += ear.told("Stopped")

    assert [one.text for one in heard] == ["Thinking…", "It is far.", "Stopping…", "Stopped"]
    documented("An answer that you stop", "You send “And the cave?”, and press Escape after the first sentence", heard)


def test_a_failure_is_told_in_its_sentence(site: Site, page: Page, ear: Ear):
    site.script.script(Text("Then take a museum", finish_reason="length"), Status(401))

    say(page, "And when it rains?")
    heard = ear.told("stops here.")
    say(page, "Which one?")
    refused = ear.told("correct it.")

    assert [one.text for one in heard] == [
        "Thinking…",
        "Then take a museum",
        "The answer reached the length limit and stops here.",
    ]
    assert [one.text for one in refused] == [
        "Thinking…",
        "The language model refuses this server's key. Its administrator has to correct it.",
    ]
    documented("An answer that breaks off", "You send “And when it rains?”; the answer gets too long", heard)
    documented("An answer that fails", "You send “Which one?”; the model refuses the server", refused)


def test_a_message_that_waits_is_told(site: Site, page: Page, ear: Ear):
    site.script.script(Pieces(("It is far. ",)), Pieces(("Then by bus. ",)))

    say(page, "Where to?")
    heard = ear.told("It is far.")
    say(page, "By bus, please")
    heard += ear.told("Sent after the answer")
    site.script.go_on()
    heard += ear.told("Then by bus.")
    site.script.go_on()
    heard += ear.told("Answer complete")

    assert [one.text for one in heard] == [
        "Thinking…",
        "It is far.",
        "Sent after the answer",
        "Answer complete",
        "Thinking…",
        "Then by bus.",
        "Answer complete",
    ]
    doing = "You send “Where to?”, and while the answer is written “By bus, please”"
    documented("A message that waits", doing, heard)


def test_a_message_that_could_not_be_sent_is_told(window: Window, page: Page, ear: Ear):
    page.context.set_offline(True)

    say(page, "And back?")
    heard = ear.told("(button)")

    # The browser itself reports that it is offline.
    window.problems.clear()
    page.context.set_offline(False)
    assert [one.text for one in heard] == [
        "Your message was not sent. It is still here; check your connection and try again. Try again (button)"
    ]
    documented("A message that could not be sent", "You send “And back?” without a connection", heard)


def test_an_answer_that_was_complete_before_the_page_knew_of_it_is_told(site: Site, page: Page, ear: Ear):
    site.script.script(Pieces(("It is far. ",)), Text("Then by bus."))
    say(page, "Where to?")
    ear.told("It is far.")
    say(page, "By bus, please")
    ear.told("Sent after the answer")

    def when_it_is_complete(route: Route) -> None:
        unfinished = "SELECT 1 FROM conversations_run WHERE thread_id = %s AND finished_at IS NULL"
        thread = page.url.split("/")[-2]
        until(lambda: not site.rows(unfinished, thread))
        route.continue_()

    page.route("**/c/thread_*/", when_it_is_complete)
    site.script.go_on()
    heard = ear.told("Answer complete") + ear.told("Answer complete")

    assert [one.text for one in heard] == ["Answer complete", "Then by bus.", "Answer complete"]


def test_what_the_builder_does_is_told(site: Site, page: Page):
    page.goto("/gpts/")
    page.get_by_role("button", name="Create a GPT").click()
    ear = Ear(page)
    site.script.script(
        ToolCalls([("update_behavior", DRAFT)]), Pieces(("I called it **Trail Planner**. ", "Shall it rhyme?"))
    )

    say(page, "A hiking guide", "builder")
    heard = ear.told("I called it Trail Planner.")
    site.script.go_on()
    site.script.go_on()
    heard += ear.told("Answer complete")

    assert [one.text for one in heard if "Draft" not in one.text] == [
        "Thinking…",
        "Writing the draft",
        "I called it Trail Planner.",
        "Shall it rhyme?",
        "Changed name, instructions +1. Answer complete",
    ]
    documented("A turn of the builder", "You send “A hiking guide” to the builder", heard)


def documented(title: str, doing: str, heard: list[Heard]) -> None:
    """Compare this part of the document with what was heard; or write it."""
    lines = "\n".join(f"{one.how}: {one.text}" for one in heard)
    part = f"## {title}\n\n{doing}. You hear:\n\n```text\n{lines}\n```\n"
    written = DOCUMENT.read_text()
    there = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if os.environ.get("TRANSCRIPT") == "1":
        found = there.search(written)
        DOCUMENT.write_text(
            there.sub(lambda _: f"{part}\n", written).rstrip() + "\n" if found else f"{written.rstrip()}\n\n{part}"
        )
        return
    assert part in written, f"{DOCUMENT.name} says something else about: {title}"
