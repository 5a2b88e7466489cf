"""A real Chromium, and windows in it that notice what goes wrong on a page."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.window import Window
from tests.site import Site, Visitor

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-background-networking", "--disable-quic", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
# A busy machine is slow, and that is no failure.
PATIENCE_MS = 20_000

expect.set_options(timeout=PATIENCE_MS)

Opens = Callable[..., Window]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one module: playwright keeps an event loop running, which tests with a database must not see."""
    if not CHROMIUM.exists():
        assert not os.environ.get("CI"), f"{CHROMIUM} is missing: the pages are not tested"
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def open_window(browser: Browser, site: Site) -> Iterator[Opens]:
    """Opens windows of different people. At the end none may have seen an error in its console or of the CSP."""
    opened: list[Window] = []

    def open_one(visitor: Visitor | None = None, **options: Any) -> Window:
        opened.append(Window(browser, site, visitor, **options))
        return opened[-1]

    yield open_one
    problems = [problem for window in opened for problem in window.problems]
    for window in opened:
        window.close()
    assert problems == [], problems
