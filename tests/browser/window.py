"""A window of a browser: what a person does in it, and what went wrong in it."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.site import PASSWORD, Site, Visitor, address

PICTURES = Path(__file__).parents[2] / "docs" / "tutorial"
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
COLOURS = 128
TABS_MOST = 80


class Window:
    """A person's browser with cookies of its own; `page` is its first tab."""

    def __init__(
        self, browser: Browser, site: Site, visitor: Visitor | None = None, *, is_phone: bool = False, **options: Any
    ) -> None:
        self.site = site
        self.problems: list[str] = []
        options = {"viewport": PHONE if is_phone else DESK, "locale": "en-US", "reduced_motion": "reduce", **options}
        headers = {"X-Forwarded-For": visitor.address if visitor else address()}
        self.context = browser.new_context(base_url=site.url, extra_http_headers=headers, **options)
        if visitor:
            self.context.add_cookies(
                [{"name": name, "value": value, "url": site.url} for name, value in visitor.http.cookies.items()]
            )
        self.page = self.tab()

    def tab(self) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        return page

    def close(self) -> None:
        self.context.close()

    def sign_up(self, name: str) -> None:
        self.page.goto("/accounts/signup/")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("E-mail").fill(f"{name.lower()}-{address()}@example.org")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign up").click()
        expect(self.page).to_have_url(f"{self.site.url}/")

    def _heard(self, message: ConsoleMessage) -> None:
        """Errors, and what the Content Security Policy refused."""
        if message.type == "error":
            self.problems.append(f"{message.location.get('url', '')}: {message.text}")


def say(page: Page, text: str, pane: str = "chat") -> None:
    """Type a message and send it."""
    box = page.locator(f"#text-{pane}")
    box.fill(text)
    box.press("Enter")


def answers(page: Page, pane: str = "chat") -> Locator:
    """The answers of a conversation, the one that is being made too."""
    return page.locator(f"#lines-{pane} > li.message:not(.mine)")


def press_until_focused(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Go to a control by the keyboard alone."""
    for _ in range(TABS_MOST):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{wanted} is not reached by {key}")


def picture(page: Page, name: str) -> None:
    """A picture for the tutorial, when they are being made."""
    if os.environ.get("TUTORIAL_PICTURES") != "1":
        return
    page.evaluate("document.fonts.ready")
    shot = Image.open(BytesIO(page.screenshot(caret="initial"))).convert("RGB")
    PICTURES.mkdir(parents=True, exist_ok=True)
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURES / f"{name}.png", optimize=True)
