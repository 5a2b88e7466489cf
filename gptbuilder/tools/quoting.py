"""No more than so many words of a passage in a row: the rest of a verbatim run is left out of the answer (pure).

A word is one of any spaced script, or one character of a script without spaces, as word processors count Chinese. What
is compared are words alone, in plain form: capitals, markup and punctuation do not hide a quotation. It works on a
stream as well: whether a word is left out depends on those before it only.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from gptbuilder.lib.words import SIGNS, UNSPACED, plain

CUT = "[…]"
WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}](?:[^\W_{UNSPACED}]|[{SIGNS}])*")


class QuoteLimit:
    """How many words in a row may be repeated, and of what. It learns the passages as the model is given them."""

    def __init__(self, words: int) -> None:
        self.words = max(words, 1)
        self._runs: set[int] = set()

    def learn(self, text: str) -> None:
        tail: deque[str] = deque(maxlen=self.words + 1)
        for found in WORD.finditer(text):
            tail.append(plain(found[0]))
            if len(tail) > self.words:
                self._runs.add(hash(tuple(tail)))

    def has(self, run: tuple[str, ...]) -> bool:
        return hash(run) in self._runs

    def cut(self, text: str) -> str:
        cutter = Cutter(self)
        return cutter.feed(text) + cutter.rest()


class Cutter:
    """One text as it comes. `cuts` counts the places where something was left out."""

    def __init__(self, limit: QuoteLimit) -> None:
        self.cuts = 0
        self._limit = limit
        self._tail: deque[str] = deque(maxlen=limit.words + 1)
        self._held = ""
        self._is_cutting = False

    def feed(self, text: str) -> str:
        """What is sure so far: a word that may go on is held back, and what stands before the next word."""
        self._held += text
        return "".join(self._pieces(is_end=False))

    def rest(self) -> str:
        """The end of the text; afterwards it is as new."""
        rest = "".join(self._pieces(is_end=True)) + self._held
        self._tail.clear()
        self._held, self._is_cutting = "", False
        return rest

    def _pieces(self, *, is_end: bool) -> Iterator[str]:
        at = 0
        for found in WORD.finditer(self._held):
            if found.end() == len(self._held) and not is_end:
                break
            between = self._held[at : found.start()]
            at = found.end()
            self._tail.append(plain(found[0]))
            is_quoted = len(self._tail) > self._limit.words and self._limit.has(tuple(self._tail))
            if not is_quoted:
                yield between + found[0]
            elif not self._is_cutting:
                self.cuts += 1
                yield f"{between}{CUT}"
            self._is_cutting = is_quoted
        self._held = self._held[at:]
