"""Which words of a passage a question asked for: as the index compares them, so a plural marks its singular."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gptbuilder.knowledge import stems
from gptbuilder.knowledge.models import Content
from gptbuilder.lib import words


@dataclass(frozen=True)
class Piece:
    """A stretch of text, all of it asked for or none of it."""

    text: str
    is_hit: bool


def marked(texts: Sequence[tuple[str, str]], question: str) -> list[list[Piece]]:
    """The pieces of each text, given with the id of its content, in this order. A few queries for all of them."""
    languages = dict(Content.objects.filter(pk__in={content for content, _ in texts}).values_list("pk", "language"))
    asked = words.words(question)
    answers: dict[str, set[str]] = {}
    for language in set(languages.values()):
        ours = [text for content, text in texts if languages.get(content) == language]
        known = stems.stems({word for text in ours for word in words.words(text)}, language)
        wanted = set(stems.stems(asked, language).values())
        answers[language] = {word for word, stem in known.items() if stem in wanted}
    return [cut(text, answers.get(languages.get(content, ""), set()).__contains__) for content, text in texts]


def cut(text: str, is_asked: Callable[[str], bool]) -> list[Piece]:
    """The text in pieces, none empty, which together are the text (pure)."""
    flags = [False] * len(text)
    for match in words.WORD.finditer(text):
        start, end = match.span()
        plain = words.plain(match[0])
        if words.IS_UNSPACED.match(plain) and len(plain) == end - start > 1:
            for at, pair in enumerate(words.pairs(plain), start):
                if is_asked(pair):
                    flags[at : at + 2] = [True, True]
        elif any(is_asked(word) for word in words.words(match[0])):
            flags[start:end] = [True] * (end - start)
    pieces: list[Piece] = []
    begin = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or flags[at] != flags[begin]:
            pieces.append(Piece(text[begin:at], flags[begin]))
            begin = at
    return pieces
