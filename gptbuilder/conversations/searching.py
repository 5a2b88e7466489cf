"""Search over one's own chats: titles and everything that was said in them, Chinese too.

The words are found in the columns `lexemes`, which the database keeps (migration 0003), so a message can be found as
soon as it is stored. A word matches whatever begins with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.db import connection
from django.db.models import BooleanField, FloatField
from django.db.models.expressions import RawSQL
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import MemberRequest
from gptbuilder.conversations import faces
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.thread import Thread, ThreadQuerySet
from gptbuilder.gpts import pictures

HITS_MOST = 30
RECENT_MOST = 8
# Of a word that is everywhere, the newest messages are ranked and the rest is left out.
RANKED_MOST = 500
QUESTION_LETTERS = 200
SNIPPET_LETTERS = 160
TITLE_WEIGHT = 1.0

MARKDOWN = re.compile(r"^\s*[-+]\s|```\w*|[*_`#>|~]+|\[([^\]]*)\]\([^)]*\)", re.MULTILINE)
CJK = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
WORD = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")


@dataclass(frozen=True)
class Piece:
    """A part of a line; `is_hit` when it is what was looked for."""

    text: str
    is_hit: bool = False


@dataclass(frozen=True)
class Hit:
    """One chat that was found. `snippet` is empty when only its title says the words."""

    thread: Thread
    url: str
    name: str
    picture: str
    title: list[Piece]
    snippet: list[Piece]


@never_cache
@require_safe
@login_required
def page(request: MemberRequest) -> HttpResponse:
    """The page of search, and for htmx what was found alone. Without words: the newest chats."""
    question = request.GET.get("q", "").replace("\x00", "")[:QUESTION_LETTERS].strip()
    context = {"question": question, "hits": search(request.person, question) if question else recent(request.person)}
    return render(request, "conversations/_found.html" if request.htmx else "conversations/search.html", context)


def search(person: User, question: str) -> list[Hit]:
    """The person's chats whose title or messages say all words of the question, best first. Archived ones too.

    Four queries. A title counts more than any message; of equals the newest comes first.
    """
    query = _query(question)
    if not query:
        return []
    chats = Thread.objects.of(person).chats().exclude(head=None)
    said = Message.objects.filter(thread__in=chats.order_by()).annotate(rank=_rank(Message, query))
    scores: dict[str, float] = {}
    best: dict[str, tuple[float, str]] = {}
    for pk, thread_id, rank in (
        said.filter(_matches(Message, query)).order_by("-pk").values_list("pk", "thread_id", "rank")[:RANKED_MOST]
    ):
        best[thread_id] = max(best.get(thread_id, (0.0, "")), (rank, pk))
        scores[thread_id] = best[thread_id][0]
    titled = chats.filter(_matches(Thread, query)).annotate(rank=_rank(Thread, query))
    for thread_id, rank in titled.values_list("pk", "rank")[:RANKED_MOST]:
        scores[thread_id] = scores.get(thread_id, 0.0) + TITLE_WEIGHT + rank
    return _hits(chats, sorted(scores, key=lambda pk: (-scores[pk], pk))[:HITS_MOST], scores, best, question)


def recent(person: User) -> list[Hit]:
    """The newest chats, for an empty question."""
    chats = Thread.objects.of(person).chats().exclude(head=None).filter(archived_at=None)
    return [_hit(thread, None, []) for thread in _with_faces(chats)[:RECENT_MOST]]


def words_of(question: str) -> list[str]:
    """What to mark, longest first: the words, and Chinese as it was typed and in pairs."""
    words: set[str] = set()
    for word in WORD.findall(question.casefold()):
        words.add(word)
        if re.match(f"[{CJK}]", word):
            words |= {word[at : at + 2] for at in range(len(word) - 1)}
    return sorted(words, key=len, reverse=True)


def marked(text: str, words: Iterable[str]) -> list[Piece]:
    """The text in pieces, with every place where one of the words begins a word."""
    pattern = _pattern(words)
    if pattern is None:
        return [Piece(text)] if text else []
    # A group in the pattern, so every second part is a hit.
    return [Piece(part, bool(at % 2)) for at, part in enumerate(pattern.split(text)) if part]


def snippet(text: str, words: Iterable[str]) -> list[Piece]:
    """About SNIPPET_LETTERS of what was said around the first hit, on one line and without Markdown's signs."""
    words = list(words)
    plain = " ".join(MARKDOWN.sub(lambda found: found[1] or " ", text).split())
    pattern = _pattern(words)
    found = pattern.search(plain) if pattern else None
    start = max(0, (found.start() if found else 0) - SNIPPET_LETTERS // 3)
    if start and " " in plain[start : start + 16]:
        start = plain.index(" ", start) + 1
    cut = plain[start : start + SNIPPET_LETTERS]
    return marked(("…" if start else "") + cut + ("…" if start + SNIPPET_LETTERS < len(plain) else ""), words)


def _query(question: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT search_query(%s)::text", [question])
        return str(cursor.fetchone()[0] or "")


def _matches(model: type[Message] | type[Thread], query: str) -> RawSQL:
    return RawSQL(f'"{model._meta.db_table}"."lexemes" @@ %s::tsquery', [query], BooleanField())  # noqa: S611


def _rank(model: type[Message] | type[Thread], query: str) -> RawSQL:
    # 1: a long text is not better because it says more.
    return RawSQL(f'ts_rank("{model._meta.db_table}"."lexemes", %s::tsquery, 1)', [query], FloatField())  # noqa: S611


def _hits(
    chats: ThreadQuerySet,
    ids: list[str],
    scores: dict[str, float],
    best: dict[str, tuple[float, str]],
    question: str,
) -> list[Hit]:
    threads = list(_with_faces(chats.filter(pk__in=ids)))
    threads.sort(key=lambda thread: (round(scores[thread.pk], 4), thread.updated_at), reverse=True)
    messages = Message.objects.in_bulk([best[pk][1] for pk in ids if pk in best])
    words = words_of(question)
    return [_hit(thread, messages.get(best[thread.pk][1]) if thread.pk in best else None, words) for thread in threads]


def _hit(thread: Thread, message: Message | None, words: list[str]) -> Hit:
    face = faces.face(thread.gpt) if thread.gpt else None
    # The branch that is shown may be another one: the page is told which message is wanted.
    query = {"message": message.pk} if message else None
    fragment = message.run_id or message.pk if message else None
    return Hit(
        thread=thread,
        url=reverse("conversations:thread", args=[thread.pk], query=query, fragment=fragment),
        name=face.name if face else "",
        picture=pictures.url(face, thread.gpt.pk) if face and thread.gpt else "",
        title=marked(thread.title, words),
        snippet=snippet(message.text, words) if message else [],
    )


def _with_faces(chats: ThreadQuerySet) -> ThreadQuerySet:
    return chats.select_related("gpt__draft", "gpt__live_version")


def _pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Latin words at the beginning of a word, Chinese anywhere."""
    parts = [re.escape(word) if re.match(f"[{CJK}]", word) else rf"(?<![^\W_{CJK}]){re.escape(word)}" for word in words]
    return re.compile(f"({'|'.join(parts)})", re.IGNORECASE) if parts else None
