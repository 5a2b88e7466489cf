"""An answer while it is written: it appears, stops, comes back after a reload, and is the same in two tabs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.window import answers, say
from tests.site import Site
from tests.upstream import Text

pytestmark = pytest.mark.browser

ANSWER = " ".join(f"word{number}" for number in range(80))
SLOW = Text(ANSWER, token_delay=0.4)


@pytest.fixture
def window(site: Site, open_window):
    return open_window(site.member("Ada"))


@pytest.fixture
def answering(site: Site, window) -> Page:
    """A new chat in which an answer is being written."""
    site.script.script(SLOW)
    window.page.goto("/c/")
    say(window.page, "Eighty words, please")
    expect(answers(window.page)).to_contain_text("word2")
    expect(window.page).to_have_url(re.compile("/c/thread_"))
    return window.page


def test_an_answer_appears_while_it_is_written(site, answering):
    answer = answers(answering)
    expect(answer).to_have_attribute("aria-busy", "true")
    assert "word79" not in answer.inner_text()

    site.script.hurry()

    expect(answer).to_contain_text("word79")
    expect(answering.locator("run-stream")).to_have_count(0)
    expect(answer.locator(".prose")).to_have_text(ANSWER)
    expect(answer).to_have_count(1)


def test_a_stopped_answer_keeps_its_words_and_can_be_made_again(site, answering):
    answering.get_by_role("button", name="Stop").click()

    answer = answers(answering)
    expect(answer).to_contain_text("You stopped this answer.")
    expect(answer).to_contain_text("word2")
    expect(answer).not_to_contain_text("word79")

    answering.get_by_role("button", name="Again").click()
    expect(answer.locator(".prose")).to_have_text("Hello from the scripted model.")
    expect(answer).to_have_count(1)
    say(answering, "Thanks")
    expect(answers(answering)).to_have_count(2)
    expect(answering.locator("run-stream")).to_have_count(0)


def test_escape_stops_an_answer(answering):
    answering.keyboard.press("Escape")

    expect(answers(answering)).to_contain_text("You stopped this answer.")
    expect(answering.locator("#text-chat")).to_be_focused()


def test_a_page_loaded_anew_in_mid_answer_goes_on(site, answering):
    answering.reload()

    answer = answers(answering)
    expect(answer.locator("live-prose")).to_contain_text("word0 word1 word2")
    assert "word79" not in answer.inner_text()
    site.script.hurry()
    expect(answer.locator("div.prose")).to_have_text(ANSWER)


def test_two_tabs_of_a_chat_show_the_same_answer(site, window, answering):
    other = window.tab()
    other.goto(answering.url)

    expect(answers(other).locator("live-prose")).to_contain_text("word0 word1 word2")
    site.script.hurry()

    for page in (answering, other):
        expect(answers(page).locator("div.prose")).to_have_text(ANSWER)


def test_a_message_of_one_tab_appears_in_the_other(site, window, answering):
    site.script.hurry()
    expect(answers(answering).locator("div.prose")).to_have_text(ANSWER)
    other = window.tab()
    other.goto(answering.url)

    say(other, "And in short?")

    for page in (other, answering):
        expect(page.locator("#lines-chat .mine").last).to_have_text("And in short?")
        expect(answers(page).last.locator("div.prose")).to_have_text("Hello from the scripted model.")
        expect(answers(page)).to_have_count(2)


def test_what_is_being_typed_survives_a_reload(answering):
    answering.locator("#text-chat").fill("Half a thought")

    answering.reload()

    expect(answering.locator("#text-chat")).to_have_value("Half a thought")
