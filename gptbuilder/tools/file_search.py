"""The files of a run: searched by the model, searched for it, or given whole.

A model that calls tools searches in its own words, and the person's are searched with them. One that cannot be trusted
with tools is not asked: the search is its first call, made before it speaks (docs/decisions/0044-passages-are-data.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext_noop

from gptbuilder.agent.tool import ToolOutput
from gptbuilder.gateway.tokens import count
from gptbuilder.gateway.types import ToolCall
from gptbuilder.knowledge import search
from gptbuilder.knowledge.search import Found, Hit
from gptbuilder.lib import words
from gptbuilder.tools.library import Library
from gptbuilder.tools.passages import Passage, fenced
from gptbuilder.tools.quoting import QuoteLimit
from gptbuilder.tools.whole_files import passage_of

NAME = "file_search"
FOUND_MOST = 20
# Reciprocal ranks as Cormack, Clarke and Büttcher (2009) add them up.
RANK_OFFSET = 60
PASSAGE_MARKS_TOKENS = 40
# "Thanks!" and "你好" ask for nothing: so few words, and none of them in the files.
SMALL_TALK_WORDS = 3

NOTHING = "Nothing was found in the files. Search in other words, or say that the files do not tell."
NOTHING_ASKED = "No passage of the files has to do with this message. Answer it without them."
CITE = "Write the number of a passage, like [1], after what you take from it."


@dataclass
class FileSearch:
    """Finds passages. The numbers of a run go on from search to search; what was given once keeps its number.

    `said` is what the person said, `before` what they had said in the turn before; `note` hears once what it found in
    the GPT's files. With `is_unasked` nobody chose the
    search: what has no word of a very short message is then not worth a model's time.
    """

    library: Library
    said: str
    before: str
    tokens: int
    is_closed: bool
    is_unasked: bool = False
    given: dict[int, Passage] = field(default_factory=dict)
    limit: QuoteLimit | None = None
    note: Callable[[Found], object] | None = None
    name: str = NAME
    label: str = gettext_noop("Searching the files")
    description: str = (
        "Find passages in the files by meaning and by words. Ask for one thing at a time, in a full phrase with the "
        "names and words the file would use, in the language of the files."
    )

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {"query": {"type": "string", "maxLength": 2000, "description": "What to look for."}},
            "required": ["query"],
            "additionalProperties": False,
        }

    def run(self, arguments: dict[str, Any], call_id: str) -> ToolOutput:
        found = list(self._within(self._found(str(arguments["query"]))))
        data = {"passages": [passage.as_data(is_closed=self.is_closed and not passage.is_own) for passage in found]}
        if not found:
            text = NOTHING_ASKED if self.is_unasked else NOTHING
            return ToolOutput(text, data=data)
        return ToolOutput(self._told(found), data=data, kept=_kept(found))

    def again(self, data: dict[str, Any]) -> str:
        """What a step told the model, for an attempt that goes on after it: the passages as they are now, under the
        numbers they had. One query."""
        entries = data.get("passages", [])
        rows = self.library.passages([entry["passage"] for entry in entries])
        found = []
        for entry in entries:
            row = rows.get(entry["passage"])
            if row is not None and entry["file"] in self.library.names:
                file_id = entry["file"]
                is_own = file_id in self.library.own_ids
                passage = passage_of(row, file_id, self.library.names[file_id], is_own=is_own)
                passage = replace(passage, number=entry["number"])
                self._remember(passage)
                found.append(passage)
        return self._told(found) if found else NOTHING

    def opening(self, call_id: str) -> ToolCall:
        """The call that is made before the model speaks."""
        return ToolCall(call_id, self.name, json.dumps({"query": self.said}, ensure_ascii=False))

    def _told(self, found: Sequence[Passage]) -> str:
        return f"{fenced(found)}\n{CITE}"

    def _found(self, query: str) -> list[Hit]:
        """The best of all searches, each passage once."""
        if self.is_unasked and not self.said:
            return self.library.beginnings(FOUND_MOST)
        asked = (
            [self.said, f"{self.before}\n{self.said}" if self.before else ""] if self.is_unasked else [query, self.said]
        )
        rankings = [self._searched(question) for question in dict.fromkeys(filter(None, asked))]
        if own := self.library.own_searched_ids:
            # What somebody adds to a conversation is what they talk about.
            rankings.append(search.search(own, query or self.said, FOUND_MOST).hits)
        hits = fused(rankings)
        if self.is_unasked and len(words.words(self.said)) <= SMALL_TALK_WORDS and not any(hit.words for hit in hits):
            return []
        return hits

    def _searched(self, question: str) -> tuple[Hit, ...]:
        found = search.search(self.library.searched_ids, question, FOUND_MOST)
        own = self.library.own_ids
        if self.note and question == self.said and not own.issuperset(self.library.searched_ids):
            self.note(replace(found, hits=tuple(hit for hit in found if hit.file_id not in own)))
            self.note = None
        return found.hits

    def _within(self, hits: Iterable[Hit]) -> Iterator[Passage]:
        """As many as there is room for, the best of them in any case."""
        room = self.tokens
        for at, hit in enumerate(hits):
            known = self.given.get(hit.passage_id)
            passage = known or self._numbered(hit)
            cost = count(passage.text) + PASSAGE_MARKS_TOKENS
            if at and cost > room:
                return
            room -= cost
            self._remember(passage)
            yield passage

    def _numbered(self, hit: Hit) -> Passage:
        number = max((passage.number for passage in self.given.values()), default=0) + 1
        return Passage(
            number=number,
            passage_id=hit.passage_id,
            file_id=hit.file_id,
            file_name=self.library.names[hit.file_id],
            kind=hit.kind,
            ordinal=hit.number,
            title=hit.title,
            text=hit.text,
            words=hit.words,
            is_own=hit.file_id in self.library.own_ids,
        )

    def _remember(self, passage: Passage) -> None:
        self.given[passage.passage_id] = passage
        if self.limit and not passage.is_own:
            self.limit.learn(passage.text)


def fused(rankings: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Several rankings as one: what stands high in many of them first. A passage has the words of all its finds."""
    scores: dict[int, float] = {}
    best: dict[int, Hit] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking, 1):
            scores[hit.passage_id] = scores.get(hit.passage_id, 0.0) + 1 / (RANK_OFFSET + rank)
            known = best.get(hit.passage_id)
            best[hit.passage_id] = (
                replace(known, words=tuple(dict.fromkeys((*known.words, *hit.words)))) if known else hit
            )
    # Sorting keeps the order of equals: that of the first ranking.
    return [best[pk] for pk in sorted(scores, key=lambda pk: -scores[pk])]


def _kept(found: Sequence[Passage]) -> str:
    """What the step says afterwards, to later turns too: where something was found, and nothing of it."""
    names = ", ".join(dict.fromkeys(passage.file_name for passage in found))
    return f"{len(found)} passages were found in: {names}. They are not repeated here; search again when you need them."
