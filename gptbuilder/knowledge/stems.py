"""Words as the index has them: their stems in the file's language. The stemmers are PostgreSQL's.

PostgreSQL also tells the language: the one whose stop words are most of the text. Stop words are in no index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from django.db import connection

from gptbuilder.lib.words import IS_UNSPACED

DEFAULT_LANGUAGE = "english"
# Those with a list of stop words in every PostgreSQL.
LANGUAGES = (
    "danish", "dutch", "english", "finnish", "french", "german", "hungarian", "italian", "norwegian", "portuguese",
    "russian", "spanish", "swedish", "turkish",
)  # fmt: skip
SAMPLE_WORDS = 1200
# Of the words of a text in a language so many are its stop words, at least.
STOP_SHARE = 0.15

DETECT = """
SELECT language, count(*) FROM unnest(%s::text[]) AS word, unnest(%s::text[]) AS language
WHERE ts_lexize((language || '_stem')::regdictionary, word) = '{}' GROUP BY language
"""
STEMS = """
SELECT (ts_lexize(%s::regdictionary, word))[1] FROM unnest(%s::text[]) WITH ORDINALITY AS given(word, place)
ORDER BY place
"""

ACCENT = re.compile("[\u0300-\u036f]+")


def language_of(words: Sequence[str]) -> str:
    """The language of a text, by a sample of its words; English when none is plain. One query."""
    spaced = [word for word in words if not IS_UNSPACED.match(word) and word.isalpha()]
    step = max(1, len(spaced) // SAMPLE_WORDS)
    sample = spaced[::step][:SAMPLE_WORDS]
    if not sample:
        return DEFAULT_LANGUAGE
    with connection.cursor() as cursor:
        cursor.execute(DETECT, [sample, list(LANGUAGES)])
        counts = dict(cursor.fetchall())
    best = max(counts, key=lambda name: (counts[name], name == DEFAULT_LANGUAGE), default=DEFAULT_LANGUAGE)
    return best if counts.get(best, 0) >= STOP_SHARE * len(sample) else DEFAULT_LANGUAGE


def stems(words: Iterable[str], language: str) -> dict[str, str]:
    """The stem of each word, without accents, which people leave out when they ask; words that are in no index are
    left out. One query."""
    known = {word: word for word in words if IS_UNSPACED.match(word)}
    spaced = sorted({word for word in words if word not in known})
    if spaced:
        # English writes accents on borrowed words alone, and its stemmer knows none; others tell words apart by them.
        given = [_without_accents(word) for word in spaced] if language == DEFAULT_LANGUAGE else spaced
        with connection.cursor() as cursor:
            cursor.execute(STEMS, [f"{language}_stem", given])
            found = cursor.fetchall()
        known |= {word: _without_accents(stem) for word, (stem,) in zip(spaced, found, strict=True) if stem}
    return known


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", ACCENT.sub("", unicodedata.normalize("NFD", text)))
