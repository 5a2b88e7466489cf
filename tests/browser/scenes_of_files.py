"""Scenes of a GPT's files and of what is found in them (see scenes.py)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from gptbuilder.accounts.models import User
from gptbuilder.conversations import turns
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.models.thread_file import ThreadFile
from gptbuilder.gpts import builtin, versions
from gptbuilder.gpts.models import GPT
from gptbuilder.knowledge import cases, records, trials
from gptbuilder.knowledge.models import Content, KnowledgeFile, Passage, RetrievalTrial
from gptbuilder.knowledge.search import Found
from gptbuilder.tools.passages import Passage as Given
from tests import world
from tests.browser.scenes import MENU, Opened, Scene, answered, chosen, pressed, signed_in, turn
from tests.tools.library_of import file_of, give

HUTS = ["The hut by the lake opens on the first of June.", "山上的小屋五月开放，十月关闭。", "A bed costs 42 francs."]
QUESTION = "When does the hut open?"
STATES: Sequence[tuple[str, str, str]] = (
    ("new.pdf", Content.State.UPLOADED, ""),
    ("half.pdf", Content.State.READING, ""),
    ("locked.pdf", Content.State.FAILED, "needs_password"),
    ("broken.pdf", Content.State.FAILED, "broken"),
    ("whole.pdf", Content.State.READY, "ok"),
)


def files() -> Iterator[Scene]:
    ada = world.person("Ada")
    inside, gpt = signed_in(ada), world.trail_planner(ada)
    yield Scene("no files to search", inside, reverse("builder:retrieval", args=[gpt.pk]))
    huts = file_of(ada, "huts.pdf", HUTS)
    give(gpt, huts, *in_every_state(ada))
    versions.publish(gpt, ada, timezone.now())
    configure = reverse("builder:configure", args=[gpt.pk])
    opens = [
        pressed("menu of a file", f"[popovertarget=menu-{huts.pk}]", MENU),
        chosen("erase", f"[popovertarget=menu-{huts.pk}]", "[data-opens=erase-dialog]", "#erase-dialog #erase-title"),
    ]
    yield Scene("files of a draft", inside, configure, opens=opens)
    yield from _searching(ada, inside, gpt, huts)
    yield from _talking(ada, inside, gpt, huts)


def in_every_state(owner: User) -> list[KnowledgeFile]:
    made = []
    for name, state, outcome in STATES:
        file = file_of(owner, name, ["A page."])
        Content.objects.filter(pk=file.content_id).update(state=state, outcome=outcome, embedded_count=1)
        made.append(file)
    return made


def _searching(ada: User, inside: Client, gpt: GPT, huts: KnowledgeFile) -> Iterator[Scene]:
    page = reverse("builder:retrieval", args=[gpt.pk])
    asked = reverse("builder:retrieval", args=[gpt.pk], query={"question": QUESTION})
    yield Scene("test the search", inside, page)
    yield Scene("passages are found", inside, asked)
    yield Scene("no passage is found", inside, reverse("builder:retrieval", args=[gpt.pk], query={"question": "Oslo"}))
    wanted = Passage.objects.filter(content=huts.content_id).order_by("position")
    kept = [cases.add(gpt.pk, QUESTION, huts, wanted[0]), cases.add(gpt.pk, "What is a bed?", huts, wanted[2])]
    records.note_search(gpt.pk, "Oslo", Found((), by_meaning=False), asker=ada, is_makers=True)
    now = timezone.now()
    for recall in (0.5, 1.0):
        outcomes = [
            {"case": kept[0].pk, "outcome": trials.FOUND, "rank": 1},
            {"case": kept[1].pk, "outcome": trials.MISSED, "rank": None},
        ]
        tried(gpt, outcomes=outcomes, recall=recall, ended_at=now)
    yield Scene("cases were tried", inside, asked)
    cases.remove(kept[1], now)
    removed = reverse("builder:retrieval", args=[gpt.pk], query={"removed": kept[1].pk})
    yield Scene("a case was removed", inside, removed)
    tried(gpt)
    yield Scene("cases are tried", inside, page)
    looked = reverse("builder:passages", args=[gpt.pk, huts.pk], query={"question": QUESTION})
    yield Scene("passages of a file", inside, looked)
    nowhere = reverse("builder:passages", args=[gpt.pk, huts.pk], query={"words": "Oslo"})
    yield Scene("no passage with these words", inside, nowhere)


def tried(gpt: GPT, **fields: object) -> RetrievalTrial:
    """All cases were tried, or are being tried."""
    now = timezone.now()
    return RetrievalTrial.objects.create(holder_id=gpt.pk, case_count=2, heartbeat_at=now, begun_at=now, **fields)


def _talking(ada: User, inside: Client, gpt: GPT, huts: KnowledgeFile) -> Iterator[Scene]:
    """An answer that names where it stands, and a file that the person brought along."""
    thread = turns.start_thread(ada, gpt)
    for _ in range(2):
        run = ask_about(thread, huts)
    mark = pressed("passage", ".source", "passage-panel dialog[open]")
    yield Scene("an answer with sources", inside, reverse("conversations:thread", args=[thread.pk]), opens=[mark])
    yield Scene("a passage", inside, reverse("conversations:passage", args=[run.pk, 1]))
    chips = Opened("files to send", _attach, "file-chips")
    chat = reverse("conversations:gpt", args=[builtin.default_gpt().pk])
    yield Scene("a chat that takes files", inside, chat, opens=[chips])
    Run.objects.all().delete()


def ask_about(thread: Thread, huts: KnowledgeFile) -> Run:
    """A question, a file with it, and an answer that stands on two passages."""
    run = turn(thread, QUESTION)
    given = file_of(thread.owner, f"mine {run.pk}.pdf", ["The key hangs behind the third shutter."])
    ThreadFile.objects.create(person=thread.owner, file=given, message=run.question, is_sent=True)
    passages = [cited(huts, 1), cited(given, 2, is_own=True)]
    now = timezone.now()
    values = {"kind": "tool_calls", "tool": "file_search", "attempt": 1, "data": {"passages": passages}}
    RunStep.objects.create(run=run, position=1, started_at=now, **values)
    return answered(run, "On the **first of June** [1]; the key hangs outside [2].")


def cited(file: KnowledgeFile, number: int, *, is_own: bool = False) -> dict[str, object]:
    """What the step of a search remembers of the first passage of a file."""
    passage = Passage.objects.filter(content=file.content_id).order_by("position")[0]
    given = Given(number, passage.pk, file.pk, file.name, "page", 1, "", passage.text, ("hut",), is_own)
    return given.as_data(is_closed=False)


def _attach(page: Page) -> None:
    notes = {"name": "moving.md", "mimeType": "text/markdown", "buffer": b"# Moving house\n\nIn three months."}
    page.locator("file-chips input[type=file]").set_input_files(notes)
    expect(page.locator("file-chips .chip")).to_contain_text("Being read…")
