"""A bar in the terminal for work whose size is known about; a line for every tenth when nobody watches."""

from __future__ import annotations

from typing import TextIO

WIDTH = 30


class ProgressBar:
    """Call it with the bytes that were done. `close` before somebody else prints."""

    def __init__(self, out: TextIO, title: str, total_bytes: int) -> None:
        self._out = out
        self._title = title
        self._total = max(1, total_bytes)
        self._done = 0
        self._shown = -1
        self._is_terminal = out.isatty()

    def __call__(self, done_bytes: int) -> None:
        self._done += done_bytes
        # What is to come was only estimated.
        share = min(1.0, self._done / self._total)
        step = int(share * (100 if self._is_terminal else 10))
        if step == self._shown:
            return
        self._shown = step
        if self._is_terminal:
            bar = "█" * int(share * WIDTH)
            self._out.write(f"\r{self._title} {bar:░<{WIDTH}} {share:4.0%}  {self._done / 1e6:,.0f} MB \x1b[K")
        else:
            self._out.write(f"{self._title}: {share:.0%} ({self._done / 1e6:,.1f} MB)\n")
        self._out.flush()

    def finish(self) -> None:
        """All of it, however wrong the estimate was."""
        self._total = max(1, self._done)
        self(0)

    def close(self) -> None:
        if self._is_terminal and self._shown >= 0:
            self._out.write("\n")
