"""What breaks in mid-answer costs a pause and no answer: workers, Redis, PostgreSQL, the web process, the model."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from itertools import islice

import psutil
import pytest

from gptbuilder.embedded import children
from gptbuilder.embedded.children import Child
from tests.site import Event, Site, Turn, Visitor, plain, running_site
from tests.upstream import Die, Garbage, Hang, Reply, Status, Text
from tests.waiting import until

ANSWER = " ".join(f"word{number}" for number in range(60))
# Goes on for half a minute, unless it is told to hurry.
SLOW = Text(ANSWER, token_delay=0.5)
# It finds that another attempt has the run, or that it waited too long for the model.
LETS_GO = re.compile("another attempt has the run|this attempt gives the run up|the model failed")


class Page:
    """What an open page shows of an answer: it plays the events as they come."""

    def __init__(self, turn: Turn) -> None:
        self.shown = self.ended = self.finished = ""
        self.kinds: list[str] = []
        self.ids: list[str] = []
        self._events = turn.follow()

    def read(self, count: int | None = None) -> None:
        """So many events, or all to the end."""
        for event in islice(self._events, count):
            self._play(event)

    def _play(self, event: Event) -> None:
        self.kinds.append(event.kind)
        self.ids.append(event.id)
        match event.kind:
            case "delta":
                self.shown += event.data["text"]
            case "restart":
                self.shown = event.data["text"]
            case "done":
                self.ended, self.finished = event.data["status"], plain(event.data["html"])


@pytest.fixture(scope="module")
def broken_site() -> Iterator[Site]:
    """A site of its own: what happens here must not reach the other journeys."""
    with running_site(MODEL_FIRST_TOKEN_TIMEOUT_SECONDS="6", MODEL_IDLE_TIMEOUT_SECONDS="5") as site:
        yield site


@pytest.fixture
def site(broken_site: Site) -> Iterator[Site]:
    broken_site.script.forget()
    broken_site.script.default = Text(ANSWER)
    yield broken_site
    broken_site.farewell()


@pytest.fixture
def ada(site: Site) -> Visitor:
    return site.member("Ada")


@pytest.fixture
def turn(site: Site, ada: Visitor) -> Turn:
    site.script.script(SLOW)
    return ada.say(ada.new_chat(), "Say sixty words")


@pytest.fixture
def page(turn: Turn) -> Page:
    """An answer under way, some words of it shown."""
    page = Page(turn)
    page.read(3)
    assert page.kinds == ["delta"] * 3
    return page


def test_a_killed_worker_costs_no_answer(site, turn, page):
    site.kill("runs")

    page.read()

    assert (page.shown, page.ended) == (ANSWER, "completed")
    assert "restart" in page.kinds
    assert turn.state() == ("completed", 2, "")
    expect_one_answer_and_a_usable_thread(turn)


def test_a_stalled_worker_that_wakes_up_late_writes_nothing(site, turn, page):
    stalled = psutil.Process(site.children()["runs"])
    stalled.suspend()
    with another_worker(stalled):
        page.read()
        site.script.hurry()
        stalled.resume()
        until(lambda: LETS_GO.search(site.log("runs")))

    assert (page.shown, page.ended) == (ANSWER, "completed")
    assert turn.state() == ("completed", 2, "")
    attempts = [attempt for attempt, _kind in site.stream(turn.run_id)]
    assert attempts == sorted(attempts)
    assert site.stream(turn.run_id)[-1] == (2, "done")
    expect_one_answer_and_a_usable_thread(turn)


def test_a_killed_redis_costs_no_answer(site, turn, page):
    site.wait_until_replaced("redis", site.kill("redis"))
    site.script.hurry()

    page.read()

    # The words that went by meanwhile are not shown one by one: the end has them all.
    assert (page.ended, ANSWER in page.finished) == ("completed", True)
    assert turn.state() == ("completed", 1, "")
    expect_one_answer_and_a_usable_thread(turn)


def test_a_killed_postgres_costs_no_answer(site, turn, page):
    site.wait_until_replaced("postgres", site.kill("postgres"))
    site.script.hurry()

    page.read()

    assert (page.shown, page.ended) == (ANSWER, "completed")
    assert turn.state() == ("completed", 1, "")
    expect_one_answer_and_a_usable_thread(turn)


def test_a_page_that_lost_the_web_process_sees_each_piece_once(site, turn, page):
    site.kill("web")

    page.read(3)
    site.script.hurry()
    page.read()

    assert (page.shown, page.ended) == (ANSWER, "completed")
    assert "restart" not in page.kinds
    assert len(page.ids) == len(set(page.ids))
    expect_one_answer_and_a_usable_thread(turn)


@pytest.mark.parametrize(
    ("reply", "code", "sentence", "kept"),
    [
        (Hang(), "timed_out", "The language model took too long. Try again.", ""),
        (Hang(after=3), "timed_out", "The language model took too long. Try again.", "word0 word1 word2"),
        (Garbage(b"<html>not a stream</html>"), "garbage", "something that cannot be understood", ""),
        (Die(after=3), "broken", "broke in the middle of the answer. Try again.", "word0 word1 word2"),
        (Status(401), "unauthorized", "refuses this server's key", ""),
    ],
    ids=["says nothing", "falls silent", "sends garbage", "dies in mid-answer", "refuses the key"],
)
def test_a_model_that_fails_is_told_in_a_sentence(site, ada, reply: Reply, code: str, sentence: str, kept: str):
    site.script.script(reply)

    turn = ada.say(ada.new_chat(), "Say something")

    assert sentence in turn.answer()
    assert turn.state() == ("failed", 1, code)
    page = ada.read(turn.page)
    assert sentence in page
    assert "Try again" in page
    assert [text.strip() for text in turn.answers()] == ([kept] if kept else [])
    expect_answered(ada.say(f"{turn.page}messages/", "And now?"))


def test_try_again_answers_a_question_that_failed(site, ada):
    site.script.script(Status(401))
    failed = ada.say(ada.new_chat(), "Say something")
    assert "refuses this server's key" in failed.answer()

    again = ada.again(failed)

    expect_answered(again)
    page = ada.read(again.page)
    assert ANSWER in page
    assert "refuses this server's key" not in page


def expect_one_answer_and_a_usable_thread(turn: Turn) -> None:
    assert turn.answers() == [ANSWER]
    assert [role for role, _text in messages_of(turn)] == ["user", "assistant"]
    assert turn.person.read(turn.page).count(ANSWER) == 1
    expect_answered(turn.person.say(f"{turn.page}messages/", "Once more"))


def expect_answered(turn: Turn) -> None:
    assert ANSWER in turn.answer()
    assert turn.answers() == [ANSWER]


@contextlib.contextmanager
def another_worker(like: psutil.Process) -> Iterator[None]:
    """A second worker process, as an operator would start one on another machine."""
    command = [word.replace("runs@", "second@") for word in like.cmdline()]
    child = Child("second", command, like.environ())
    with open("/dev/null", "wb") as nowhere:
        process = children.spawn(child, nowhere)
    try:
        yield
    finally:
        children.stop(process, child)


def messages_of(turn: Turn) -> list[tuple[str, str]]:
    query = "SELECT role, text FROM conversations_message WHERE thread_id = %s ORDER BY id"
    return [(role, text) for role, text in turn.person.site.rows(query, turn.thread_id)]
