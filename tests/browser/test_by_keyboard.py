"""Everything that can be done in the builder and in a chat, by the keyboard alone: nothing here clicks."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.window import answers, press_until_focused
from tests.site import Site
from tests.upstream import Pieces, Text, ToolCalls

pytestmark = pytest.mark.browser

WISH = "A guide for weekend hikes with children"
DRAFT = {
    "name": "Trail Planner",
    "description": "Day hikes.",
    "instructions": "Ask how old they are.",
    "starters": ["Where to?"],
}
STOPS_MOST = 120
# Where the ring of the focus is drawn when it is not the element's own outline.
RINGED = """element => {
  const rings = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  const box = element.closest(".composer") ?? element.closest("label") ?? element;
  return rings(getComputedStyle(element)) || rings(getComputedStyle(element, "::after")) || rings(getComputedStyle(box))
    || (box.matches(".composer") && getComputedStyle(box).boxShadow !== "none");
}"""


@pytest.fixture
def page(site: Site, open_window) -> Page:
    window = open_window(site.member("Ada"))
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return window.page


def go(page: Page, wanted: Locator, key: str = "Enter", by: str = "Tab") -> None:
    """Walk to a control and press it."""
    press_until_focused(page, wanted, by)
    page.keyboard.press(key)


def back(page: Page, wanted: Locator, key: str = "Enter") -> None:
    go(page, wanted, key, "Shift+Tab")


def choose(page: Page, name: str) -> None:
    """A choice of the menu that is open, by the arrows."""
    choice = page.locator(":popover-open .choice").filter(has_text=name).first
    expect(choice).to_be_visible()
    press_until_focused(page, choice, "ArrowDown")
    page.keyboard.press("Enter")


def write(page: Page, text: str) -> None:
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


# --- The builder ---------------------------------------------------------------------------------


@pytest.fixture
def built(site: Site, page: Page) -> Page:
    """A GPT made by talking."""
    page.goto("/gpts/")
    go(page, page.get_by_role("button", name="Create a GPT"))
    expect(page.locator("#text-builder")).to_be_focused()
    site.script.script(ToolCalls([("update_behavior", DRAFT)]), Text("I wrote it."))
    page.keyboard.type(WISH)
    page.keyboard.press("Enter")
    expect(answers(page, "builder").locator(".changes")).to_be_visible()
    expect(page.locator("#text-builder")).to_be_focused()
    return page


def test_a_turn_of_the_builder_is_looked_at_undone_and_done_again(built: Page):
    changes = answers(built, "builder").locator(".changes")
    undo = changes.locator("[id^=reversal-]")

    back(built, changes.locator("summary"))
    expect(changes.locator(".diff")).to_be_visible()
    go(built, undo)
    expect(undo).to_have_text("Redo")
    expect(undo).to_be_focused()
    expect(built.locator("#bar-draft h1")).not_to_have_text("Trail Planner")
    built.keyboard.press("Enter")

    expect(undo).to_have_text("Undo this turn")
    expect(undo).to_be_focused()
    expect(built.locator("#bar-draft h1")).to_have_text("Trail Planner")


def test_a_turn_is_undone_by_ctrl_z_where_it_is_offered(built: Page):
    undo = answers(built, "builder").locator("[id^=reversal-]")
    back(built, answers(built, "builder").locator("summary"))
    go(built, undo)
    expect(undo).to_have_text("Redo")

    built.keyboard.press("Control+z")

    expect(undo).to_have_text("Undo this turn")


def test_the_form_is_filled_and_its_fields_locked(built: Page):
    back(built, built.get_by_role("link", name="Configure"))
    expect(built.get_by_label("Name")).to_be_visible()
    lock = built.locator("#lock-name")

    go(built, lock)
    expect(lock).to_have_attribute("aria-pressed", "true")
    expect(lock).to_be_focused()
    go(built, built.get_by_label("Description"), "Control+a")
    built.keyboard.type("Lakes for all.")
    expect(built.locator("#preview-face")).to_contain_text("Lakes for all.")
    expect(built.get_by_label("Description")).to_be_focused()
    go(built, built.get_by_role("button", name="Add a starter"))
    expect(built.get_by_label("Starter 2", exact=True)).to_be_focused()
    built.keyboard.type("And with a dog?")
    back(built, built.get_by_role("button", name="Move starter 2 with the arrow keys"), "ArrowUp")

    expect(built.get_by_role("button", name="Move starter 1 with the arrow keys")).to_be_focused()
    expect(built.locator("#preview-face .starter").first).to_have_text("And with a dog?")
    go(built, built.get_by_role("button", name="Remove starter 2"))
    expect(built.locator("#preview-face .starter")).to_have_count(1)
    expect(built.get_by_label("Starter 1", exact=True)).to_be_focused()


def test_it_is_published_shared_updated_and_its_versions_compared(built: Page):
    dialog = built.get_by_role("dialog")
    back(built, built.locator("#publish-button"))
    go(built, dialog.get_by_role("button", name="Publish"))
    expect(dialog.get_by_role("heading", name="Trail Planner is live")).to_be_focused()
    built.keyboard.press("Escape")
    expect(built.locator("#publish-button")).to_be_focused()

    back(built, built.locator("#share-button"))
    go(built, built.locator("#share").get_by_role("button", name="Copy"))
    expect(built.locator("#share")).to_contain_text("Copied")
    assert "/g/" in built.evaluate("navigator.clipboard.readText()")
    back(built, built.locator("#share").get_by_role("button", name="Only me"))
    expect(built.locator("#share .link")).to_have_count(0)
    expect(built.locator("#share :focus")).to_have_count(1)
    built.keyboard.press("Escape")
    expect(built.locator("#share-button")).to_be_focused()

    back(built, built.get_by_role("link", name="Configure"))
    go(built, built.get_by_label("Description"), "Control+a")
    built.keyboard.type("Lakes for all.")
    expect(built.locator("#bar-draft")).to_contain_text("Unpublished changes")
    back(built, built.locator("#publish-button"))
    expect(built.locator("#saved")).to_contain_text("Version 2 is live")
    expect(built.locator("#publish-button")).to_be_focused()

    back(built, built.locator("#history-button"))
    expect(built.locator("#versions .acts a").first).to_be_visible()
    go(built, built.get_by_role("link", name="Compare version 2"))
    expect(built.get_by_role("heading", name="Version 2, compared with version 1")).to_be_visible()
    go(built, built.get_by_role("link", name="What the draft changes since"))
    expect(built.get_by_role("heading", name="Nothing differs")).to_be_visible()
    built.go_back()
    built.go_back()
    expect(built.locator("#history-button")).to_be_visible()
    go(built, built.locator("#history-button"))
    go(built, built.get_by_role("button", name="Restore version 1"))
    expect(built.get_by_label("Description")).to_have_value("Day hikes.")
    expect(built.locator("#history :focus")).to_have_count(1)


def test_it_is_duplicated_deleted_and_brought_back(built: Page):
    here = urlsplit(built.url).path
    back(built, built.locator("#more-button"))
    choose(built, "Duplicate")
    built.wait_for_url(lambda url: urlsplit(url).path != here)
    expect(built.locator("#bar-draft h1")).to_have_text(re.compile("Trail Planner"))
    back(built, built.locator("#more-button"))
    choose(built, "Delete")
    built.wait_for_url("**/gpts/")
    expect(built.locator(".gpt")).to_have_count(1)

    built.keyboard.press("Control+z")

    expect(built.locator(".gpt")).to_have_count(2)


# --- A chat --------------------------------------------------------------------------------------


@pytest.fixture
def chatting(site: Site, page: Page) -> Page:
    """A question and its answer."""
    page.goto("/c/")
    expect(page.locator("#text-chat")).to_be_focused()
    site.script.script(Text("To the lake."))
    page.keyboard.type("Where to?")
    page.keyboard.press("Enter")
    expect(answers(page).locator("div.prose")).to_have_text("To the lake.")
    expect(page.locator("#text-chat")).to_be_focused()
    return page


def test_an_answer_is_made_again_copied_and_judged(site: Site, chatting: Page):
    answer = answers(chatting).first
    back(chatting, answer.get_by_role("button", name="Again"))
    expect(answer.locator("div.prose")).to_have_text("Hello from the scripted model.")
    expect(chatting.locator("#text-chat")).to_be_focused()

    back(chatting, answer.get_by_role("button", name="Copy"))
    expect(answer.get_by_role("button", name="Copied")).to_be_focused()
    assert chatting.evaluate("navigator.clipboard.readText()") == "Hello from the scripted model."
    go(chatting, answer.get_by_role("button", name="Good answer"))
    expect(answer.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    expect(answer.get_by_role("button", name="Good answer")).to_be_focused()
    go(chatting, answer.get_by_role("button", name="Bad answer"))
    go(chatting, answer.get_by_label("It is not true"), "Space")
    go(chatting, answer.get_by_label("In your words"))
    chatting.keyboard.type("There is no lake.")
    go(chatting, answer.get_by_role("button", name="Send"))

    expect(answer.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    expect(answer.get_by_role("button", name="Bad answer")).to_be_focused()
    expect(chatting.locator(":popover-open")).to_have_count(0)


def test_an_earlier_message_is_said_otherwise_and_the_branches_walked(site: Site, chatting: Page):
    question = chatting.locator("#lines-chat .mine").first
    back(chatting, question.get_by_role("button", name="Edit message"))
    expect(question.get_by_role("textbox")).to_be_focused()
    chatting.keyboard.press("Escape")
    expect(question.get_by_role("button", name="Edit message")).to_be_focused()
    chatting.keyboard.press("Enter")
    expect(question.get_by_role("textbox")).to_be_focused()
    write(chatting, "Where to by bus?")
    chatting.keyboard.press("Enter")
    expect(answers(chatting).locator("div.prose")).to_have_text("Hello from the scripted model.")
    expect(chatting.locator("#text-chat")).to_be_focused()

    earlier = question.get_by_role("button", name="Earlier version")
    back(chatting, earlier)
    expect(answers(chatting).locator("div.prose")).to_have_text("To the lake.")
    expect(earlier).to_be_focused()
    go(chatting, question.get_by_role("button", name="Later version"))
    expect(answers(chatting).locator("div.prose")).to_have_text("Hello from the scripted model.")
    expect(question.get_by_role("button", name="Later version")).to_be_focused()


def test_messages_wait_and_are_changed_and_an_answer_is_stopped(site: Site, chatting: Page):
    site.script.script(Pieces(("It is far. ", "And steep. ")), Text("By bus, then."))
    chatting.keyboard.type("How far is it?")
    chatting.keyboard.press("Enter")
    expect(answers(chatting).last).to_contain_text("It is far.")
    chatting.keyboard.type("And by bus?")
    chatting.keyboard.press("Enter")
    waiting = chatting.locator("#queue-chat")
    expect(waiting).to_contain_text("And by bus?")
    expect(chatting.locator("#text-chat")).to_be_focused()

    back(chatting, waiting.get_by_role("button", name="Edit waiting message"))
    expect(waiting.get_by_role("textbox")).to_be_focused()
    write(chatting, "And by train?")
    chatting.keyboard.press("Enter")
    expect(waiting).to_contain_text("And by train?")
    expect(chatting.locator("#text-chat")).to_be_focused()
    chatting.keyboard.press("Escape")
    expect(answers(chatting).nth(1)).to_contain_text("You stopped this answer.")
    expect(chatting.locator("#text-chat")).to_be_focused()
    if waiting.get_by_role("button", name="Send now").is_visible():
        back(chatting, waiting.get_by_role("button", name="Send now"))
    expect(answers(chatting).nth(2).locator("div.prose")).to_have_text("By bus, then.")
    expect(chatting.locator("#text-chat")).to_be_focused()


def test_a_chat_is_found_renamed_and_exported(chatting: Page):
    dialog = chatting.locator("#search-dialog")
    # An answer that is still under way would be given up by the next search, which htmx tells as an error.
    with chatting.expect_response("**/search/**"):
        chatting.keyboard.press("Control+k")
    expect(dialog.get_by_role("searchbox")).to_be_focused()
    chatting.keyboard.press("Escape")
    expect(chatting.locator("#text-chat")).to_be_focused()
    with chatting.expect_response("**/search/**"):
        chatting.keyboard.press("Control+k")
    expect(dialog.locator("#found a")).to_be_visible()
    chatting.keyboard.type("lake")
    expect(dialog.locator("mark").first).to_be_visible()
    chatting.keyboard.press("ArrowDown")
    expect(dialog.locator("#found a").first).to_be_focused()
    chatting.keyboard.press("Enter")
    expect(chatting).to_have_url(re.compile(r"/c/thread_\w+/#run_"))

    row = chatting.locator("#lists chat-name").first
    link = row.locator("a[data-place]")
    back(chatting, link, "F2")
    expect(row.get_by_role("textbox")).to_be_focused()
    write(chatting, "Lakes")
    chatting.keyboard.press("Enter")
    expect(link).to_have_text("Lakes")
    expect(link).to_be_focused()

    menu = chatting.locator(".chat-bar").get_by_role("button", name="This chat")
    go(chatting, menu)
    choose(chatting, "Rename")
    expect(chatting.locator(".chat-bar").get_by_role("textbox")).to_be_focused()
    chatting.keyboard.press("Escape")
    expect(menu).to_be_focused()
    chatting.keyboard.press("Enter")
    with chatting.expect_download() as download:
        choose(chatting, "Export as Markdown")
    assert download.value.suggested_filename == "Lakes.md"
    expect(menu).to_be_focused()


def test_a_hit_in_another_branch_opens_that_branch(chatting: Page):
    question = chatting.locator("#lines-chat .mine").first
    back(chatting, question.get_by_role("button", name="Edit message"))
    expect(question.get_by_role("textbox")).to_be_focused()
    write(chatting, "Where to by bus?")
    chatting.keyboard.press("Enter")
    expect(answers(chatting).locator("div.prose")).to_have_text("Hello from the scripted model.")
    chatting.keyboard.press("Control+k")
    expect(chatting.locator("#found a")).to_be_visible()
    chatting.keyboard.type("lake")
    expect(chatting.locator("#found mark").first).to_be_visible()
    chatting.keyboard.press("ArrowDown")
    chatting.keyboard.press("Enter")

    expect(answers(chatting).locator("div.prose")).to_have_text("To the lake.")
    expect(chatting).to_have_url(re.compile(r"/c/thread_\w+/#run_\w+$"))


def test_a_chat_is_shared_and_the_link_ended(chatting: Page):
    menu = chatting.locator(".chat-bar").get_by_role("button", name="This chat")
    dialog = chatting.locator("#share-dialog")
    back(chatting, menu)
    choose(chatting, "Share…")
    expect(dialog.get_by_role("button", name="Make a link")).to_be_visible()
    go(chatting, dialog.get_by_role("button", name="Make a link"))
    expect(dialog.get_by_label("Link")).to_be_focused()
    go(chatting, dialog.get_by_role("button", name="Copy"))
    assert "/s/" in chatting.evaluate("navigator.clipboard.readText()")
    go(chatting, dialog.get_by_role("button", name="End the link"))
    expect(dialog.get_by_role("button", name="Make a link")).to_be_visible()
    expect(dialog.locator(":focus")).to_have_count(1)
    chatting.keyboard.press("Escape")

    expect(menu).to_be_focused()


def test_chats_are_archived_and_deleted_and_brought_back(site: Site, chatting: Page):
    chatting.keyboard.press("Control+Shift+o")
    expect(chatting.get_by_role("heading", name="What can I help with?")).to_be_visible()
    rows = chatting.locator("#lists chat-name")
    expect(rows).to_have_count(1)
    menu = rows.first.get_by_role("button", name="Menu of Where to?")
    back(chatting, menu)
    choose(chatting, "Archive")
    expect(rows).to_have_count(0)
    expect(chatting.get_by_role("link", name="Archived chats")).to_be_focused()
    chatting.keyboard.press("Control+z")
    expect(rows).to_have_count(1)

    back(chatting, rows.first.locator("a[data-place]"))
    expect(answers(chatting)).to_have_count(1)
    expect(chatting.locator("#text-chat")).to_be_focused()
    back(chatting, chatting.locator(".chat-bar").get_by_role("button", name="This chat"))
    choose(chatting, "Delete")
    expect(chatting.get_by_role("heading", name="What can I help with?")).to_be_visible()
    expect(chatting.locator("#text-chat")).to_be_focused()
    chatting.keyboard.press("Control+z")
    expect(answers(chatting)).to_have_count(1)


def test_the_shortcuts_are_listed_and_the_dialog_gives_the_focus_back(chatting: Page):
    log = chatting.get_by_role("log")
    press_until_focused(chatting, log, "Shift+Tab")
    chatting.keyboard.press("?")
    dialog = chatting.locator("#shortcuts-dialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    chatting.keyboard.press("Enter")

    expect(dialog).not_to_be_visible()
    expect(log).to_be_focused()
    chatting.keyboard.press("/")
    expect(chatting.locator("#text-chat")).to_be_focused()
    chatting.keyboard.press("Control+Shift+c")
    expect(chatting.locator("toast-stack")).to_contain_text("Copied")


# --- Everywhere ----------------------------------------------------------------------------------


def test_the_focus_is_seen_wherever_it_goes_and_nowhere_kept(built: Page):
    """Once round each page: every stop has a ring, and the round ends."""
    unseen: list[str] = []

    for path in (built.url, f"{built.url}configure/", "/c/", "/gpts/", "/settings/"):
        built.goto(path)
        built.evaluate("document.activeElement.blur()")
        stops = once_round(built, unseen)
        assert stops < STOPS_MOST, f"{path} keeps the focus"

    assert unseen == []


def once_round(page: Page, unseen: list[str]) -> int:
    for stop in range(STOPS_MOST):
        page.keyboard.press("Tab")
        at = page.locator(":focus")
        if not at.count():
            return stop
        if not at.evaluate(RINGED):
            unseen.append(f"{page.url}: {at.evaluate('element => element.outerHTML')[:120]}")
    return STOPS_MOST
