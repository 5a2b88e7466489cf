"""What is kept of searches, and what the maker of a GPT is shown of them.

People are told that the maker cannot read their chats, so the words of a question are not even stored until
PEOPLE_LEAST members have asked it in the same words; before that a search is only counted. Guests never add to that
number: anybody can be many guests. What the maker searched is theirs. Why so, and what it does not protect from:
docs/decisions/0045-what-a-builder-sees-of-searches.md.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from gptbuilder.accounts.models import User
from gptbuilder.knowledge.models import Search
from gptbuilder.knowledge.search import Found
from gptbuilder.lib import words

KEPT_DAYS = 90
PEOPLE_LEAST = 5
SHOWN = 100
# How many people asked is told in these steps: that one more did would tell who came lately.
STEPS = (5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Question:
    """A question that was searched for: the words that all of its askers share. `people` is a lower bound; 0 is the
    maker alone, as they wrote it. What was found is that of the latest search."""

    text: str
    people: int
    day: date
    found: int
    found_by_words: int
    by_meaning: bool

    @property
    def is_makers(self) -> bool:
        return self.people == 0

    @property
    def found_nothing(self) -> bool:
        """Also when only the meaning is a little like something: it always is, if there are vectors."""
        return self.found_by_words == 0


@dataclass(frozen=True)
class Totals:
    """How often others' conversations searched, on days that are over."""

    searches: int
    without_passages: int
    without_words: int


# --- Writing -------------------------------------------------------------------------------------


def note_search(
    holder_id: str, question: str, found: Found, *, asker: User | None = None, is_makers: bool = False
) -> Search:
    """Remember that a conversation with this GPT searched its files. Two queries.

    `asker` says who asked, so that people can be counted, and is not stored; a guest, or None, counts for nobody.
    `is_makers` says that the GPT's maker asked, whose words are kept at once.
    """
    text = question.replace("\x00", " ").strip()[: Search.QUESTION_LETTERS]
    shared = words_of(text)
    key = _hash("question", holder_id, shared)
    token = "" if asker is None or asker.is_guest or is_makers else _hash("asker", holder_id, key, str(asker.pk))
    return Search.objects.create(
        holder_id=holder_id,
        day=timezone.now().date(),
        question=text if is_makers else shared if token and _is_common(holder_id, key, token) else "",
        question_key=key,
        asker=token,
        is_makers=is_makers,
        found=len(found),
        found_by_words=sum(1 for hit in found if hit.words),
        best=max((hit.fused for hit in found), default=0.0),
        by_meaning=found.by_meaning,
    )


def forget(holder_id: str) -> None:
    """The GPT is gone, or is another person's now: what its maker searched is not the next one's to read."""
    Search.objects.filter(holder_id=holder_id).delete()


def purge(now: datetime) -> int:
    """Delete what is older than KEPT_DAYS; gives how many."""
    return Search.objects.filter(day__lt=now.date() - timedelta(days=KEPT_DAYS)).delete()[0]


def _is_common(holder_id: str, key: str, token: str) -> bool:
    """Whether enough others asked the same that the words of one more are nobody's own."""
    others = Search.objects.filter(holder_id=holder_id, question_key=key).exclude(asker__in=["", token])
    return others.values("asker").distinct().count() >= PEOPLE_LEAST - 1


def words_of(question: str) -> str:
    """The words in their order, without case, punctuation and spacing: equal where two asked in the same words."""
    return " ".join(words.WORD.findall(unicodedata.normalize("NFKC", question).casefold()))


def _hash(*parts: str) -> str:
    """Keyed with the secret of this installation, so that nobody who only has the table can try out guesses."""
    return salted_hmac("knowledge.searches", "\n".join(parts), algorithm="sha256").hexdigest()[:32]


# --- Reading -------------------------------------------------------------------------------------


def questions(holder_id: str, today: date) -> list[Question]:
    """What the maker may read: their own searches, and what enough people asked on days that are over.

    Those that found nothing first, then the most asked. Two queries.
    """
    found = [*_common(holder_id, today), *_makers(holder_id)]
    found.sort(
        key=lambda question: (not question.found_nothing, -question.people, -question.day.toordinal(), question.text)
    )
    return found[:SHOWN]


def totals(holder_id: str, today: date) -> Totals:
    """One query."""
    over = Search.objects.filter(holder_id=holder_id, is_makers=False, day__lt=today)
    counted = over.aggregate(
        searches=Count("pk"), without_passages=Count("pk", Q(found=0)), without_words=Count("pk", Q(found_by_words=0))
    )
    return Totals(**counted)


def _common(holder_id: str, today: date) -> Iterable[Question]:
    """The latest of each question that PEOPLE_LEAST people asked, as long as so many are remembered."""
    over = Search.objects.filter(holder_id=holder_id, is_makers=False, day__lt=today).exclude(asker="")
    common = over.values("question_key").annotate(
        people=Count("asker", distinct=True), latest=Max("pk", filter=~Q(question=""))
    )
    people = {row["latest"]: row["people"] for row in common.filter(people__gte=PEOPLE_LEAST, latest__isnull=False)}
    return [_as_question(search, _step(people[search.pk])) for search in Search.objects.filter(pk__in=people)]


def _makers(holder_id: str) -> Iterable[Question]:
    own = Search.objects.filter(holder_id=holder_id, is_makers=True)
    latest = own.order_by("question_key", "-pk").distinct("question_key")
    return [_as_question(search, 0) for search in latest]


def _as_question(search: Search, people: int) -> Question:
    return Question(search.question, people, search.day, search.found, search.found_by_words, search.by_meaning)


def _step(people: int) -> int:
    return max(step for step in STEPS if step <= people)
