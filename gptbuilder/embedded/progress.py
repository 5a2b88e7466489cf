"""The local model's progress in the terminal: one bar that moves, or a line for every tenth when nobody watches."""

import time
from typing import TextIO

from gptbuilder.embedded.model_status import ModelStatus

BAR_WIDTH = 30
TITLES = {
    "fetching": "Fetching the local model",
    "joining": "Joining the local model",
    "verifying": "Checking the local model",
}


class Progress:
    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_terminal = out.isatty()
        self._state = ""
        self._tenth = -1
        self._began = 0.0
        self._began_bytes = 0
        self._line_open = False

    def show(self, current: ModelStatus) -> None:
        """Print what is new; nothing when nothing is."""
        if current["state"] != self._state:
            self._begin(current)
        if current["state"] in TITLES and current["total_bytes"]:
            self._show_bytes(current)

    def close_line(self) -> None:
        """Before somebody else prints."""
        if self._line_open:
            self._out.write("\n")
            self._line_open = False

    def _begin(self, current: ModelStatus) -> None:
        self.close_line()
        self._state = current["state"]
        self._tenth = -1
        self._began = time.monotonic()
        self._began_bytes = current["done_bytes"]
        if current["state"] in ("ready", "failed"):
            print(current["message"], file=self._out, flush=True)

    def _show_bytes(self, current: ModelStatus) -> None:
        share = current["done_bytes"] / current["total_bytes"]
        if not self._is_terminal and int(share * 10) == self._tenth:
            return
        self._tenth = int(share * 10)
        seconds = max(time.monotonic() - self._began, 0.001)
        speed = (current["done_bytes"] - self._began_bytes) / seconds / 1e6
        numbers = f"{current['done_bytes'] / 1e6:,.0f} of {current['total_bytes'] / 1e6:,.0f} MB, {speed:.0f} MB/s"
        title = TITLES[current["state"]]
        if self._is_terminal:
            bar = "█" * int(share * BAR_WIDTH)
            self._out.write(f"\r{title} {bar:░<{BAR_WIDTH}} {share:4.0%}  {numbers} \x1b[K")
            self._out.flush()
            self._line_open = True
        else:
            print(f"{title}: {share:.0%} ({numbers})", file=self._out, flush=True)
