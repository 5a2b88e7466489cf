"""What a screen reader is told by a page's live regions, as a list.

Browsers hand the changes of a live region to the screen reader; what is heard follows from WAI-ARIA: additions and new
text, the whole region where it is atomic (`status` and `alert` are), nothing of what is hidden, nothing while the
region is busy, and nothing of a region that arrives with its words already in it, unless it is an alert.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Page

from tests.waiting import until

LISTENER = Path(__file__).with_name("hearing.js").read_text()


@dataclass(frozen=True)
class Heard:
    """`how` is polite (waits for a pause) or assertive (interrupts)."""

    how: str
    text: str


class Ear:
    """Listens to a page. `told` gives what is new since it was asked before."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._known = 0

    @staticmethod
    def listen(context: BrowserContext) -> None:
        """Before the first page is opened."""
        context.add_init_script(LISTENER)

    def told(self, last: str) -> list[Heard]:
        """What was told up to the first that ends with these words."""
        ends = until(lambda: [at for at, one in enumerate(self._new(), start=1) if one.text.endswith(last)])
        new = self._new()[: ends[0]]
        self._known += len(new)
        return new

    def _new(self) -> list[Heard]:
        return [Heard(**one) for one in self._page.evaluate("window.heard")[self._known :]]
