"""A maker tries the search, by keyboard and on a phone. What axe says stands in test_accessibility.py."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.site import Site, Visitor
from tests.waiting import until

pytestmark = pytest.mark.browser

HUTS = """# Huts

## Seehütte

The hut by the lake opens on the first of June and closes with the first snow. It has forty beds, a stove, and a keeper
who sings. Children under six sleep for free; dogs sleep outside. Whoever comes after eight in the evening gets soup and
no choice. The key hangs behind the third shutter in winter, and the log book wants a name.

## 山上小屋

山上的小屋五月开放，十月关闭。下雨天可以带孩子去博物馆。

## Prices

A bed costs 42 francs, half of it for members. Breakfast is 15 francs and begins at six.
"""


@pytest.fixture
def ada(site: Site) -> Visitor:
    return site.member("Ada")


@pytest.fixture
def gpt(site: Site, ada: Visitor) -> str:
    made = ada.new_gpt()
    headers = {"X-CSRFToken": ada.http.cookies["csrftoken"], "HX-Request": "true"}
    sent = ada.http.post(f"/gpts/{made}/files/", files={"file": ("huts.md", HUTS.encode())}, headers=headers)
    assert sent.status_code == 200, sent.text[:400]
    until(lambda: "1 file" in ada.read(f"/gpts/{made}/edit/knowledge/") and is_read(ada, made), seconds=60)
    return made


def is_read(ada: Visitor, gpt: str) -> bool:
    return "0 passages" not in ada.read(f"/gpts/{gpt}/edit/knowledge/")


def test_a_maker_asks_keeps_and_tries_with_the_keyboard(gpt, ada, open_window):
    page = open_window(ada).page
    page.goto(f"/gpts/{gpt}/edit/knowledge/")

    page.get_by_label("Question").focus()
    page.keyboard.type("When does the hut open?")
    page.keyboard.press("Enter")
    expect(page.locator(".hit").first).to_contain_text("huts.md")
    wanted = page.get_by_role("button", name="This passage should be found").first
    wanted.focus()
    page.keyboard.press("Enter")
    expect(wanted).to_have_attribute("aria-pressed", "true")
    expect(wanted).to_be_focused()
    page.locator("#try-all").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#cases")).to_contain_text("1 of 1 among the first ten")
    page.get_by_role("button", name="Remove “When does the hut open?”").focus()
    page.keyboard.press("Enter")
    page.locator("#undo").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#cases")).to_contain_text("1 case")


def test_a_phone_shows_it_without_scrolling_sideways(gpt, ada, open_window):
    page = open_window(ada, is_phone=True).page
    page.goto(f"/gpts/{gpt}/edit/knowledge/?question=When+does+the+hut+open")
    wanted = page.get_by_role("button", name="This passage should be found").first
    wanted.click()
    expect(wanted).to_have_attribute("aria-pressed", "true")
    page.locator("#try-all").click()
    expect(page.locator("#cases")).to_contain_text("among the first ten")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.goto(f"/gpts/{gpt}/edit/knowledge/?question=Oslo")
    page.locator(".note a.button").first.click()

    expect(page.get_by_label("Words in this file")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
