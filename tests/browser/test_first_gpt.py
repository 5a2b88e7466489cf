"""The first quarter of an hour, as a person sees it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.window import answers, picture, press_until_focused, say
from tests.site import PASSWORD, Site, address
from tests.upstream import Text, ToolCalls

pytestmark = pytest.mark.browser

WISH = "A guide for weekend hikes with children, without a car"
DRAFT = {
    "name": "Trail Planner",
    "description": "Day hikes a family will finish smiling, by bus and train.",
    "instructions": (
        "You plan day hikes for families with children.\n\n"
        "1. Ask how old the children are and where the trip starts.\n"
        "2. Suggest two hikes that a bus or a train reaches.\n"
        "3. Say how long each takes with breaks, and where there is a toilet.\n\n"
        "Be cheerful and brief. Never suggest a path along a road."
    ),
    "starters": [
        "Five flat kilometres with a lake",
        "A rainy Sunday with two small children",
        "下雨天带孩子去哪里走走？",
        "Somewhere with a cave",
    ],
}
REPLY = (
    "I named it **Trail Planner** and wrote its instructions. It asks for the children's age first and only suggests "
    "hikes that a bus or a train reaches.\n\nShould it also look at the weather before it suggests something?"
)
HIKE = (
    "How old are the children? Until I know, here are two that most like:\n\n"
    "| Hike | Length | With breaks |\n| --- | --- | --- |\n| Round the mill lake | 4 km | 2 h |\n"
    "| Fox wood and the tower | 6 km | 3½ h |\n\n"
    "Both start at a station, and there is a **playground** half-way round the lake."
)


def test_a_person_makes_a_gpt_and_a_visitor_of_its_link_talks_to_it(site: Site, open_window):
    ada = open_window()
    page = ada.page
    page.goto("/accounts/login/")
    picture(page, "sign-in")
    ada.sign_up("Ada")
    page.get_by_role("button", name="Account of Ada").or_(page.locator(".account")).first.wait_for()
    page.goto("/gpts/")
    page.get_by_role("button", name="Create a GPT").click()
    expect(page.get_by_text("What would you like to make?")).to_be_visible()
    picture(page, "builder-empty")

    build(site, page)
    preview(site, page)
    picture(page, "builder")
    configure(page)
    link = publish(page)

    ben = open_window()
    ben.page.goto(link)
    expect(ben.page.get_by_role("heading", name="Trail Planner", level=2)).to_be_visible()
    expect(ben.page.get_by_text("by Ada")).to_be_visible()
    chat_as_a_guest(site, ben.page)
    picture(ben.page, "shared-chat")


def build(site: Site, page: Page) -> None:
    site.script.script(ToolCalls([("update_behavior", DRAFT)]), Text(REPLY))
    say(page, WISH, "builder")
    changed = answers(page, "builder").locator("summary .badge")
    expect(changed).to_have_text(["name", "description", re.compile(r"instructions\s+\+5"), "4 starters"])
    expect(page.locator("#bar-draft h1")).to_have_text("Trail Planner")
    expect(page.locator("#preview-face h3")).to_have_text("Trail Planner")
    expect(page.locator("#preview-face .starter")).to_have_count(4)


def preview(site: Site, page: Page) -> None:
    site.script.script(Text(HIKE))
    page.locator("#preview-face .starter").first.click()
    expect(answers(page, "preview").locator("table")).to_be_visible()
    assert site.script.requests[-1]["messages"][-1]["content"] == DRAFT["starters"][0]


def configure(page: Page) -> None:
    page.get_by_role("link", name="Configure").click()
    expect(page.get_by_label("Name")).to_have_value("Trail Planner")
    picture(page, "configure")
    page.get_by_label("Description").fill("Day hikes a family will finish smiling.")
    expect(page.locator("#preview-face")).to_contain_text("Day hikes a family will finish smiling.")
    expect(page.locator("#saved")).to_contain_text("saved")


def publish(page: Page) -> str:
    page.locator("#publish-button").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Publish").click()
    expect(dialog.get_by_role("heading", name="Trail Planner is live")).to_be_visible()
    link = dialog.get_by_label("Link").input_value()
    dialog.get_by_role("button", name="Done").click()
    expect(page.locator("#saved")).to_contain_text("Version 1 is live")
    page.locator("#share-button").click()
    expect(page.locator("#share").get_by_label("Link")).to_have_value(link)
    picture(page, "share")
    return link


def chat_as_a_guest(site: Site, page: Page) -> None:
    site.script.script(Text(HIKE, token_delay=0.3))
    page.get_by_role("button", name=DRAFT["starters"][1]).click()
    streaming = answers(page).locator("live-prose")
    expect(streaming).to_contain_text("How old are")
    assert "playground" not in streaming.inner_text()
    site.script.hurry()
    expect(answers(page).locator("strong")).to_have_text("playground")
    expect(page.locator("run-stream")).to_have_count(0)


def test_the_same_by_the_keyboard_alone(site: Site, open_window):
    page = open_window(site.member("Ada")).page
    page.goto("/gpts/")
    press_until_focused(page, page.get_by_role("button", name="Create a GPT"))
    page.keyboard.press("Enter")

    expect(page.locator("#text-builder")).to_be_focused()
    site.script.script(ToolCalls([("update_behavior", DRAFT)]), Text(REPLY))
    page.keyboard.type(WISH)
    page.keyboard.press("Enter")
    expect(page.locator("#preview-face h3")).to_have_text("Trail Planner")

    press_until_focused(page, page.locator("#text-preview"))
    page.keyboard.type("A hike for Sunday")
    page.keyboard.press("Enter")
    expect(answers(page, "preview")).to_contain_text("Hello from the scripted model.")

    press_until_focused(page, page.locator("#publish-button"), "Shift+Tab")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    press_until_focused(page, dialog.get_by_role("button", name="Publish"))
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("heading", name="Trail Planner is live")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(page.locator("#publish-button")).to_be_focused()


def test_the_builder_on_a_phone_has_a_tab_for_each_pane(site: Site, open_window):
    ada = site.member("Ada")
    page = open_window(ada, is_phone=True).page
    page.goto(f"/gpts/{ada.new_gpt()}/edit/")
    tabs = page.get_by_role("navigation", name="Ways to edit")

    expect(page.locator("#text-builder")).to_be_visible()
    expect(page.locator("#text-preview")).not_to_be_visible()
    tabs.get_by_role("link", name="Preview").click()
    expect(page.locator("#text-preview")).to_be_visible()
    expect(page.locator("#text-builder")).not_to_be_visible()
    expect_no_sideways_scrolling(page)
    tabs.get_by_role("link", name="Configure").click()
    expect(page.get_by_label("Name")).to_be_visible()
    expect(page.locator("#text-preview")).not_to_be_visible()
    expect_no_sideways_scrolling(page)
    tabs.get_by_role("link", name="Create").click()
    say(page, "A hiking guide", "builder")
    expect(answers(page, "builder")).to_contain_text("Hello from the scripted model.")
    expect_no_sideways_scrolling(page)


def expect_no_sideways_scrolling(page: Page) -> None:
    assert page.evaluate("document.scrollingElement.scrollWidth") <= page.evaluate("innerWidth")


def test_a_chinese_browser_gets_chinese_pages(site: Site, open_window):
    page = open_window(locale="zh-CN").page

    page.goto("/accounts/signup/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    page.get_by_label("邮箱").fill(f"{address()}@example.org")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="注册").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    page.goto("/gpts/")
    page.get_by_role("button", name="创建 GPT").click()

    expect(page.get_by_role("link", name="配置")).to_be_visible()
    say(page, "做一个徒步助手", "builder")
    expect(answers(page, "builder")).to_contain_text("Hello from the scripted model.")
