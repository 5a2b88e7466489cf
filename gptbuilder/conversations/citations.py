"""Which passages an answer stands on: the model's marks as links, the sources under it, and a passage to look at.

The numbers are those under which the run's steps remember the passages. A model that writes no marks has its sources
listed all the same: they are what it was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gptbuilder.accounts.requests import Request
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.models.thread_file import ThreadFile
from gptbuilder.knowledge import marking, places
from gptbuilder.knowledge.marking import Piece
from gptbuilder.knowledge.models import KnowledgeFile, Passage
from gptbuilder.tools.passages import Passage as Given

Entry = Mapping[str, Any]

# [1], [1, 3], 【1】, 【1†report.pdf】
MARK = re.compile(r"\[(\d{1,3}(?:[,，、;]\s*\d{1,3})*)\]|【(\d{1,3}(?:[,，、;]\s*\d{1,3})*)(?:†[^】\n]{0,80})?】")
TAG = re.compile(r"<(/?)([a-z0-9]+)(?:[^\"'>]|\"[^\"]*\")*>", re.IGNORECASE)
# Where a number in brackets is no mark.
VERBATIM = {"code", "pre", "a", "math", "button", "textarea"}
CITE = re.compile(r'<sup class="cite">(\d{1,3})</sup>')
# Of an answer without marks, so many places are named.
UNMARKED_MOST = 5


@dataclass(frozen=True)
class Source:
    """A line under an answer. `url` leads to the passage; without one only the file's name may be shown."""

    number: int
    name: str
    place: str = ""
    url: str = ""


@dataclass(frozen=True)
class Cited:
    """What `_answer.html` shows of an answer: its HTML with links, its sources, and how many quotations were cut."""

    html: SafeString
    sources: tuple[Source, ...] = ()
    is_marked: bool = False
    cuts: int = 0
    quote_words: int = 0


# --- What an answer is made of -------------------------------------------------------------------


def numbers_in(text: str) -> list[int]:
    """The numbers of the marks in a text, each once, in their order."""
    found = (number for match in MARK.finditer(text) for number in _numbers(match))
    return list(dict.fromkeys(found))


def marked(html: str, known: Iterable[int]) -> str:
    """The rendered answer with its marks as `<sup class="cite">`; a number that no passage has stays text."""
    numbers = set(known)
    if not numbers:
        return html
    return "".join(_marked_pieces(html, numbers))


def shown_of(whole: Iterable[Given], text: str, *, is_closed: bool) -> list[dict[str, Any]]:
    """Of passages that a model had all the time: those that its answer names, else the first of each file."""
    passages = list(whole)
    wanted = set(numbers_in(text))
    first = {passage.file_id: passage.number for passage in reversed(passages)}
    named = [passage for passage in passages if passage.number in wanted]
    chosen = named or [passage for passage in passages if first[passage.file_id] == passage.number]
    return [passage.as_data(is_closed=is_closed and not passage.is_own) for passage in chosen]


def passages(steps: Iterable[RunStep]) -> dict[int, Entry]:
    """What the steps of a run remember of passages, by number."""
    found: dict[int, Entry] = {}
    for step in steps:
        for entry in (step.data or {}).get("passages", ()):
            found.setdefault(entry["number"], entry)
    return found


def cited(answer: Message, run: Run, steps: Sequence[RunStep]) -> Cited:
    """An answer with its sources, as the steps of its run remember them."""
    known = passages(steps)
    html = answer.html
    if not known:
        return Cited(mark_safe(html))  # noqa: S308 - rendered when the answer was stored
    is_open = {number: not entry.get("closed") for number, entry in known.items()}
    wanted = [number for number in numbers_in(answer.text) if number in known]
    sources = [_source(run, known[number]) for number in wanted] or list(_unmarked(run, known.values()))
    note = next((step.data for step in reversed(steps) if step.data and step.data.get("cuts")), None) or {}
    return Cited(
        html=mark_safe(CITE.sub(lambda found: _link(run, int(found[1]), is_open), html)),  # noqa: S308 - the same
        sources=tuple(dict.fromkeys(sources)),
        is_marked=bool(wanted),
        cuts=note.get("cuts", 0),
        quote_words=note.get("words", 0),
    )


def names(entries: Iterable[Entry], text: str) -> list[str]:
    """The files that an answer stands on, by name alone: for who may see nothing else."""
    by_number = {entry["number"]: entry for entry in entries}
    wanted = [number for number in numbers_in(text) if number in by_number] or list(by_number)[:UNMARKED_MOST]
    return list(dict.fromkeys(by_number[number]["name"] for number in wanted))


def _numbers(match: re.Match[str]) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", match[1] or match[2])]


def _marked_pieces(html: str, known: set[int]) -> Iterator[str]:
    """Text between tags is changed, unless one of VERBATIM is open."""
    at, depth = 0, 0
    for tag in TAG.finditer(html):
        text = html[at : tag.start()]
        yield text if depth else MARK.sub(lambda found: _sup(found, known), text)
        yield tag[0]
        at = tag.end()
        if tag[2].lower() in VERBATIM:
            depth = max(0, depth + (-1 if tag[1] else 1))
    yield html[at:] if depth else MARK.sub(lambda found: _sup(found, known), html[at:])


def _sup(match: re.Match[str], known: set[int]) -> str:
    wanted = [number for number in _numbers(match) if number in known]
    return "".join(f'<sup class="cite">{number}</sup>' for number in wanted) or match[0]


def _link(run: Run, number: int, is_open: Mapping[int, bool]) -> str:
    if not is_open.get(number):
        return f'<sup class="cite">{number}</sup>'
    return f'<a class="cite" href="{_url(run, number)}" data-passage="{number}">{number}</a>'


def _url(run: Run, number: int) -> str:
    return reverse("conversations:passage", args=[run.pk, number])


def _source(run: Run, entry: Entry) -> Source:
    if entry.get("closed"):
        return Source(0, entry["name"])
    place = places.place(entry["kind"], entry["ordinal"], entry["title"])
    return Source(entry["number"], entry["name"], place, _url(run, entry["number"]))


def _unmarked(run: Run, entries: Iterable[Entry]) -> Iterator[Source]:
    """The first passage of each place."""
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        source = _source(run, entry)
        if (source.name, source.place) in seen:
            continue
        if len(seen) == UNMARKED_MOST:
            return
        seen.add((source.name, source.place))
        yield source


# --- A passage to look at ------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A passage as the panel shows it. Without `pieces` it is not there any more."""

    name: str
    place: str = ""
    pieces: tuple[Piece, ...] = ()


@never_cache
@require_safe
def passage(request: Request, run_id: str, number: int) -> HttpResponse:
    """A passage that a run was given, with the words it was found by. For who may see the run, unless the GPT keeps
    its files to itself."""
    runs = Run.objects.of(request.person).select_related("version", "thread__gpt__live_version")
    run = get_object_or_404(runs, pk=run_id)
    entry = passages(run.steps.all()).get(number)
    if entry is None or is_closed(run, entry):
        raise Http404
    template = "conversations/_passage.html" if request.htmx else "conversations/passage.html"
    return render(request, template, {"shown": shown(run, entry), "run": run})


def is_closed(run: Run, entry: Entry) -> bool:
    """Whether who asked may not see this passage: the GPT was confidential when it answered, or is by now. Its maker
    sees it in the preview, and everybody what they brought along."""
    if entry.get("closed"):
        return True
    if entry.get("own") or run.thread.purpose == Thread.Purpose.PREVIEW:
        return False
    live = run.thread.gpt.live_version if run.thread.gpt else None
    return any(version is not None and version.is_confidential for version in (run.version, live))


def shown(run: Run, entry: Entry) -> Shown:
    """The passage as it stands in the file now, if the run's version or conversation still has that file."""
    place = places.place(entry["kind"], entry["ordinal"], entry["title"])
    found = _passage(run, entry)
    if found is None:
        return Shown(entry["name"], place)
    [pieces] = marking.marked([(found.content_id, found.text)], " ".join(entry["words"]))
    return Shown(entry["name"], place, tuple(pieces))


def _passage(run: Run, entry: Entry) -> Passage | None:
    gpt, version = run.thread.gpt, run.version
    files = version.files if gpt and not gpt.deleted_at and version else []
    own = ThreadFile.objects.filter(message__thread=run.thread_id, file=entry["file"])
    if not any(held["id"] == entry["file"] for held in files) and not own.exists():
        return None
    file = KnowledgeFile.objects.kept().filter(pk=entry["file"])
    return Passage.objects.filter(pk=entry["passage"], content__in=file.values("content")).first()
