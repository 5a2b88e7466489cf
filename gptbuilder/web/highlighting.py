"""Code in few inks: words of the language, texts, values, asides. The design knows no more, nor does the HTML."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from django.utils.html import escape
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import (
    Comment,
    Generic,
    Keyword,
    Name,
    Number,
    Operator,
    String,
    _TokenType,
    is_token_subtype,
)
from pygments.util import ClassNotFound

MAX_CHARACTERS = 20_000
KNOWN = 64
INKS: tuple[tuple[_TokenType, str], ...] = (
    (Keyword.Constant, "value"),
    (Keyword, "word"),
    (Operator.Word, "word"),
    (Name.Tag, "word"),
    (Name.Builtin.Pseudo, "value"),
    (Comment, "aside"),
    (String, "text"),
    (Number, "value"),
    (Generic.Inserted, "added"),
    (Generic.Deleted, "removed"),
    (Generic.Subheading, "aside"),
)
CLASSES = tuple(sorted({ink for _token, ink in INKS}))


@dataclass(frozen=True)
class Language:
    """What a code block says it is; `lexer` is None when nobody knows that language."""

    name: str
    lexer: Lexer | None


def language(alias: str) -> Language:
    """By the word after the fence. An unknown word stays as it is, cut to a readable length."""
    return _known(alias.lower()[:40]) if alias else Language("", None)


@lru_cache(maxsize=KNOWN)
def _known(alias: str) -> Language:
    try:
        lexer = get_lexer_by_name(alias, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return Language(alias, None)
    return Language("" if alias in ("text", "plain", "plaintext") else lexer.name, lexer)


def highlight(code: str, language: Language) -> str:
    """Escaped HTML with `<span class="word|text|value|aside|added|removed">`; long code is only escaped."""
    if language.lexer is None or len(code) > MAX_CHARACTERS:
        return escape(code)
    pieces = ((_ink(token), text) for token, text in language.lexer.get_tokens(code))
    return "".join(
        _span(ink, "".join(text for _ink_again, text in group)) for ink, group in groupby(pieces, key=lambda p: p[0])
    )


@lru_cache(maxsize=512)
def _ink(token: _TokenType) -> str:
    return next((ink for kind, ink in INKS if is_token_subtype(token, kind)), "")


def _span(ink: str, text: str) -> str:
    return f'<span class="{ink}">{escape(text)}</span>' if ink else escape(text)
