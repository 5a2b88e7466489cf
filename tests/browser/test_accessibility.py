"""What axe finds on the main pages, in light and in dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.window import answers, say
from tests.site import Site, Visitor
from tests.upstream import Text, ToolCalls

pytestmark = pytest.mark.browser

DRAFT = {
    "name": "Trail Planner",
    "description": "Day hikes a family will finish smiling.",
    "instructions": "Ask how old the children are.",
    "starters": ["Five flat kilometres with a lake", "Somewhere with a cave"],
}
MARKDOWN = (
    "## Two hikes\n\n| Hike | km |\n| --- | --- |\n| Lake | 4 |\n\n```python\nprint('boots')\n```\n\n- one\n- two"
)


@pytest.fixture
def ada(site: Site) -> Visitor:
    return site.member("Ada")


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_pages_before_one_signs_in(open_window, scheme):
    page = open_window(color_scheme=scheme).page
    found = {}

    for path in ("/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/connect-a-model/"):
        page.goto(path)
        found[path] = violations(page)

    assert not any(found.values()), found


def test_pages_of_a_member(site, ada, open_window, scheme):
    gpt = ada.new_gpt()
    site.script.script(ToolCalls([("update_behavior", DRAFT)]), Text("I named it."), Text(MARKDOWN))
    ada.say(f"/gpts/{gpt}/edit/messages/", "A hiking guide").answer()
    chat = ada.say(f"/gpts/{gpt}/preview/messages/", "Where to?")
    chat.answer()
    link = ada.publish(gpt)
    site.script.script(Text(MARKDOWN))
    thread = ada.say(ada.new_chat(), "Where to?")
    thread.answer()
    page = open_window(ada, color_scheme=scheme).page
    found = {}

    for path in (
        "/c/",
        thread.page,
        link,
        "/gpts/",
        f"/gpts/{gpt}/edit/",
        f"/gpts/{gpt}/edit/configure/",
        "/settings/",
    ):
        page.goto(path)
        found[path] = violations(page)
    page.goto(f"/gpts/{gpt}/edit/")
    for button in ("#share-button", "#history-button"):
        page.locator(button).click()
        expect(page.locator("[popover]:popover-open")).to_be_visible()
        expect(page.locator("#versions[aria-busy]")).to_have_count(0 if button == "#history-button" else 1)
        found[button] = violations(page)

    assert not any(found.values()), found


def test_a_chat_in_which_an_answer_is_written_and_one_that_failed(site, ada, open_window, scheme):
    page = open_window(ada, color_scheme=scheme).page
    site.script.script(Text(MARKDOWN.replace("\n", " \n"), token_delay=0.5))
    page.goto("/c/")
    say(page, "Where to?")
    expect(answers(page)).to_contain_text("Two")

    writing = violations(page)
    page.get_by_role("button", name="Stop").click()
    expect(answers(page)).to_contain_text("You stopped this answer.")

    assert (writing, violations(page)) == ([], [])


def violations(page) -> list[str]:
    """Rule, and where it is broken."""
    results = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {', '.join(str(node['target']) for node in rule['nodes'])}" for rule in results]
