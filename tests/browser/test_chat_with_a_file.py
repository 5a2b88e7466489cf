"""A person talks about a file of their own: attached, read, asked about, and its passage looked at."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.window import answers, say
from tests.site import Site
from tests.upstream import Text

pytestmark = pytest.mark.browser

NOTES = """# Moving house

The landlord needs notice of three months before the end of a quarter.

# Deposit

The deposit is paid back within forty days after the keys were handed over.
"""


def test_a_file_is_attached_asked_about_and_its_passage_opened(site: Site, open_window):
    ada = open_window()
    page = ada.page
    ada.sign_up("Ada")
    page.goto("/c/")

    page.locator("file-chips input[type=file]").set_input_files(
        {"name": "moving.md", "mimeType": "text/markdown", "buffer": NOTES.encode()}
    )
    chip = page.locator("file-chips .chip")
    expect(chip).to_contain_text("moving.md")
    expect(chip).to_contain_text("Searchable")
    site.script.script(Text("Within forty days after the keys were handed over [2]."))
    say(page, "When do I get my deposit back?")

    expect(page.locator(".message.mine .given")).to_contain_text("moving.md")
    expect(chip).to_have_count(0)
    answer = answers(page).last
    mark = answer.locator(".prose a.cite")
    expect(mark).to_have_text("2")
    assert "deposit is paid back" in str(site.script.requests[-1]["messages"])
    expect(answer.get_by_role("button", name="moving.md")).to_be_visible()
    mark.click()

    panel = page.get_by_role("dialog", name="Passage")
    expect(panel).to_contain_text("moving.md")
    expect(panel).to_contain_text("forty days after the keys")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(mark).to_be_focused()

    phone = open_window(is_phone=True)
    phone.context.add_cookies(ada.context.cookies())
    phone.page.goto(page.url)
    answers(phone.page).last.get_by_role("button", name="moving.md").click()
    expect(phone.page.get_by_role("dialog", name="Passage")).to_contain_text("forty days after the keys")
    expect(phone.page.locator("dialog.side:modal")).to_be_visible()
