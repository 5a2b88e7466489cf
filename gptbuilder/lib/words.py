"""Splits text of any language into words to search by (pure). Stemming is PostgreSQL's (knowledge/lexical.py).

Nothing here knows where the words of Chinese, Japanese, Korean, Thai, Lao, Khmer or Burmese end, so these are split
into every pair of neighbours. Traditional Chinese characters become simplified ones, full-width letters and ligatures
plain ones: what looks the same to a reader is the same word.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

# Hiragana to katakana, ideographs, Hangul.
CJK = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
# Thai, Lao, Tibetan, Burmese, Khmer, with the signs that stand over and under their letters.
UNSPACED = f"{CJK}\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0f40-\u0fbc\u1000-\u109f\u1780-\u17d3"
# Signs that belong to the letter before, which Python's \w leaves out: Latin accents, Hebrew, Arabic, Indic vowels.
SIGNS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0980-\u0dff"
WORD = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}](?:[^\W_{UNSPACED}]|[{SIGNS}])*")
IS_UNSPACED = re.compile(f"[{UNSPACED}]")
# A longer one is no word (a key, a line of base64), and the index would carry it for nothing.
LETTERS_MOST = 60


def words(text: str) -> list[str]:
    """The words in the order of the text, as often as they are in it."""
    found: list[str] = []
    for match in WORD.finditer(plain(text)):
        run = match[0]
        if IS_UNSPACED.match(run):
            found.extend(pairs(run))
        else:
            found.append(run[:LETTERS_MOST])
    return found


def plain(text: str) -> str:
    """The text as it is compared: compatible forms (NFKC), lower case, simplified Chinese."""
    return unicodedata.normalize("NFKC", text).lower().translate(SIMPLIFIED)


def pairs(run: str) -> list[str]:
    """Every pair of neighbours; a letter that stands alone is itself."""
    return [run[at : at + 2] for at in range(len(run) - 1)] or [run]


def _simplified() -> dict[int, int]:
    lines = Path(__file__).with_name("han_variants.txt").read_text(encoding="utf-8").splitlines()[1:]
    return {
        ord(traditional): ord(simplified)
        for line, other in zip(lines[::2], lines[1::2], strict=True)
        for traditional, simplified in zip(line, other, strict=True)
    }


SIMPLIFIED = _simplified()
