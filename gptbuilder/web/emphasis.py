"""Emphasis beside Chinese, Japanese and Korean, which know no spaces between words.

CommonMark asks whether a `**` stands beside a space or a punctuation mark, and so leaves `**语气：**用` as it is. Here
full-width marks are letters like the others, and a letter of these scripts is as good a neighbour as a space:
https://github.com/tats-u/markdown-cjk-friendly/blob/main/specification.md, without its variation selectors. Text
without such letters is read as CommonMark says.
"""

from __future__ import annotations

import unicodedata

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

# Full width are also most emoji, which are symbols; these are symbols of the scripts themselves.
CJK_SYMBOLS = range(0x3000, 0x3400)


def enable(parser: MarkdownIt) -> None:
    """Have the parser read emphasis so. Before anything else is added to its inline rules."""
    inline = _Inline()
    inline.ruler, inline.ruler2 = parser.inline.ruler, parser.inline.ruler2
    parser.inline = inline


def is_cjk(letter: str) -> bool:
    """Whether this is a letter, a mark or a symbol of Chinese, Japanese or Korean."""
    if unicodedata.east_asian_width(letter) in "WFH":
        return unicodedata.category(letter) != "So" or ord(letter) in CJK_SYMBOLS
    return unicodedata.name(letter, "").startswith("HANGUL")


class _State(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        scanned = super().scanDelims(start, canSplitWord)
        end = start + scanned.length
        before = self.src[start - 1] if start else " "
        after = self.src[end] if end < self.posMax else " "
        if not (is_cjk(before) or is_cjk(after)):
            return scanned
        left = not _is_space(after) and (not _is_foreign_mark(after) or _is_boundary(before))
        right = not _is_space(before) and (not _is_foreign_mark(before) or _is_boundary(after))
        can_open = left and (canSplitWord or not right or _is_mark(before))
        can_close = right and (canSplitWord or not left or _is_mark(after))
        return Scanned(can_open, can_close, scanned.length)


class _Inline(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """As the original does, with a state of ours."""
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


def _is_space(letter: str) -> bool:
    return bool(isWhiteSpace(ord(letter)))


def _is_mark(letter: str) -> bool:
    return bool(isMdAsciiPunct(ord(letter)) or isPunctChar(letter))


def _is_foreign_mark(letter: str) -> bool:
    return _is_mark(letter) and not is_cjk(letter)


def _is_boundary(letter: str) -> bool:
    return _is_space(letter) or _is_mark(letter) or is_cjk(letter)
