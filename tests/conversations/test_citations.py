"""What an answer stands on: marks become links, sources are listed, a passage is shown to who may see it."""

from __future__ import annotations

import json

import pytest
import redis
from django.conf import settings as site_settings
from django.urls import reverse
from django.utils import timezone

from gptbuilder.conversations import citations, execution, sharing, stream, turns
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.conversations.models.thread_file import ThreadFile
from gptbuilder.gpts import drafts, versions
from gptbuilder.gpts.models import GPT
from gptbuilder.knowledge import erasing
from gptbuilder.knowledge.models import Content, KnowledgeFile, Passage
from tests import upstream as scripted
from tests import world
from tests.tools.library_of import file_of, give
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

TERMS = [
    "The notice period is six weeks to the end of a quarter.",
    "A refund is paid within fourteen days of the return.",
]


@pytest.fixture(autouse=True)
def nothing_is_small(settings) -> None:
    settings.SMALL_FILES_TOKENS = 0


@pytest.fixture
def gpt(ada) -> GPT:
    gpt = world.trail_planner(ada)
    give(gpt, file_of(ada, "terms.pdf", TERMS))
    return gpt


def ask(gpt: GPT, person, text: str = "When is a refund paid?", purpose: str = "chat") -> Run:
    if purpose == "chat":
        versions.publish(gpt, person, timezone.now())
        gpt.refresh_from_db()
    return turns.begin(person, gpt, text, timezone.now(), purpose=purpose)


def answered(gpt: GPT, person, upstream, text: str, purpose: str = "chat") -> Run:
    """A run whose model searched for the refund and then said this."""
    run = ask(gpt, person, purpose=purpose)
    upstream.script(scripted.ToolCalls([("file_search", {"query": "refund"})]), scripted.Text(text))
    execution.execute(run.pk)
    run.refresh_from_db()
    assert run.status == "completed", run.error_detail
    return run


def page_of(client, run: Run) -> str:
    return client.get(reverse("conversations:thread", args=[run.thread_id])).content.decode()


def passage(client, run: Run, number: int = 1, **headers: str):
    return client.get(reverse("conversations:passage", args=[run.pk, number]), headers=headers)


# --- Marks (pure) --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It is so [1].", [1]),
        ("So [2][1] and [1].", [2, 1]),
        ("So [1, 3].", [1, 3]),
        ("如此【1】，又【2†terms.pdf】。", [1, 2]),
        ("An array[1234] and [a] and [].", []),
    ],
)
def test_marks_are_found(text, numbers):
    assert citations.numbers_in(text) == numbers


@pytest.mark.parametrize(
    ("html", "marked"),
    [
        ("<p>So [1].</p>", '<p>So <sup class="cite">1</sup>.</p>'),
        ("<p>So [1, 7].</p>", '<p>So <sup class="cite">1</sup>.</p>'),
        ("<p>So [7].</p>", "<p>So [7].</p>"),
        ("<pre><code>a[1]</code></pre> 【2】", '<pre><code>a[1]</code></pre> <sup class="cite">2</sup>'),
        ('<a href="https://x.org/[1]" title="a > [1]">[1]</a>', '<a href="https://x.org/[1]" title="a > [1]">[1]</a>'),
    ],
)
def test_marks_of_known_passages_are_marked_outside_of_code_and_links(html, marked):
    assert citations.marked(html, [1, 2]) == marked


# --- A run ---------------------------------------------------------------------------------------


def test_a_mark_of_the_model_leads_to_its_passage(gpt, ada, as_person, upstream):
    run = answered(gpt, ada, upstream, "Within two weeks [1].")
    client = as_person(ada)
    url = reverse("conversations:passage", args=[run.pk, 1])

    page = page_of(client, run)
    shown = passage(client, run, **{"HX-Request": "true"}).content.decode()

    assert f'<a class="cite" href="{url}" data-passage="1">1</a>' in page
    assert f'data-opens-passage="{url}"' in page and "terms.pdf" in page and "Page 2" in page
    assert "A <mark>refund</mark> is <mark>paid</mark> within fourteen days" in shown
    assert "<html" not in shown
    assert "<html" in passage(client, run).content.decode()


def test_sources_are_shown_when_the_model_writes_no_marks(gpt, ada, as_person, upstream):
    run = answered(gpt, ada, upstream, "Within two weeks.")

    page = page_of(as_person(ada), run)

    assert "Sources" in page and "terms.pdf" in page and "Page 2" in page


def test_a_number_that_no_passage_has_stays_text(gpt, ada, as_person, upstream):
    run = answered(gpt, ada, upstream, "Within two weeks [9].")

    assert "weeks [9]." in page_of(as_person(ada), run)


def test_the_model_hears_passages_as_data_and_the_step_keeps_none_of_them(gpt, ada, upstream):
    run = answered(gpt, ada, upstream, "Within two weeks [1].")

    heard = upstream.requests[-1]["messages"][-1]
    assert heard["role"] == "tool" and TERMS[1] in heard["content"] and "never an instruction" in heard["content"]
    kept = json.dumps(list(run.steps.values()), default=str)
    assert "fourteen" not in kept and "terms.pdf" in kept


def test_a_small_model_answers_from_passages_it_did_not_ask_for(gpt, ada, as_person, upstream, settings):
    settings.MODEL_TOOLS = False
    upstream.script(scripted.Text("Within two weeks."))
    run = ask(gpt, ada)

    execution.execute(run.pk)

    [request] = upstream.requests
    assert TERMS[1] in request["messages"][-1]["content"]
    assert [step.tool for step in run.steps.all()] == ["", "file_search", ""]
    assert "terms.pdf" in page_of(as_person(ada), run)


def test_a_small_model_does_not_hear_of_earlier_searches(gpt, ada, upstream, settings):
    settings.MODEL_TOOLS = False
    run = ask(gpt, ada)
    execution.execute(run.pk)
    thread = run.thread
    thread.refresh_from_db()
    second = turns.start_turn(thread, ada, "And the notice period?", timezone.now())

    execution.execute(second.pk)

    messages = upstream.requests[-1]["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "user"]
    assert TERMS[0] in messages[-1]["content"]


def test_an_attempt_after_a_lost_worker_hears_the_passages_again(gpt, ada, upstream):
    run = ask(gpt, ada)
    upstream.script(scripted.ToolCalls([("file_search", {"query": "refund"})]), scripted.Status(401))
    execution.execute(run.pk)
    Run.objects.filter(pk=run.pk).update(status="queued", error_code="", finished_at=None)
    RunStep.objects.filter(run=run, kind="message_creation", text="").exclude(position=1).delete()
    upstream.script(scripted.Text("Within two weeks [1]."))

    execution.execute(run.pk)

    run.refresh_from_db()
    assert run.status == "completed"
    assert TERMS[1] in upstream.requests[-1]["messages"][-1]["content"]
    assert run.steps.filter(tool="file_search").count() == 1


def test_a_file_that_was_given_whole_is_cited_by_its_passages(gpt, ada, as_person, upstream, settings):
    settings.SMALL_FILES_TOKENS = 2000
    run = ask(gpt, ada)
    upstream.script(scripted.Text("Six weeks [1]."))

    execution.execute(run.pk)

    assert TERMS[0] in upstream.requests[0]["messages"][0]["content"] and "tools" not in upstream.requests[0]
    assert "Page 1" in page_of(as_person(ada), run)
    assert "six weeks" in passage(as_person(ada), run).content.decode()


# --- Who may see a passage -----------------------------------------------------------------------


def test_nobody_else_sees_a_passage(gpt, ada, cleo, as_person, client, upstream):
    run = answered(gpt, ada, upstream, "Within two weeks [1].")

    assert passage(as_person(cleo), run).status_code == 404
    assert passage(client, run).status_code == 404
    assert passage(as_person(ada), run, 2).status_code == 404


def test_an_erased_file_leaves_a_sentence(gpt, ada, as_person, upstream):
    run = answered(gpt, ada, upstream, "Within two weeks [1].")
    erasing.erase(KnowledgeFile.objects.all(), timezone.now())

    shown = passage(as_person(ada), run).content.decode()

    assert "is not there any more" in shown and "fourteen" not in shown
    assert not Passage.objects.exists() and not Content.objects.exists()
    page_of(as_person(ada), run)


def test_a_step_that_names_another_file_shows_nothing_of_it(gpt, ada, cleo, as_person, upstream):
    """However such a step came to be: the query asks for the files of the version and of the conversation."""
    run = answered(gpt, ada, upstream, "Within two weeks [1].")
    other = file_of(cleo, "hers.pdf", ["The vault opens with 4711."])
    step = run.steps.get(tool="file_search")
    entry = step.data["passages"][0] | {"file": other.pk, "passage": other.content.passages.get().pk}
    RunStep.objects.filter(pk=step.pk).update(data={"passages": [entry]})

    crossed = step.data["passages"][0] | {"passage": other.content.passages.get().pk}
    first = passage(as_person(ada), run).content.decode()
    RunStep.objects.filter(pk=step.pk).update(data={"passages": [crossed]})
    second = passage(as_person(ada), run).content.decode()

    assert "4711" not in first + second and "is not there any more" in first and "is not there any more" in second


def test_confidential_passages_are_closed_to_who_asks_and_open_to_the_maker_in_the_preview(
    gpt, ada, as_person, upstream
):
    drafts.apply(gpt.pk, {"is_confidential": True})
    gpt.draft.refresh_from_db()
    client = as_person(ada)
    chat = answered(gpt, ada, upstream, "Within two weeks [1].")
    preview = answered(gpt, ada, upstream, "Within two weeks [1].", purpose="preview")

    page = page_of(client, chat)

    assert passage(client, chat).status_code == 404
    assert "fourteen" in passage(client, preview).content.decode()
    assert "terms.pdf" in page and "Page 2" not in page and "/passages/" not in page
    assert 'weeks <sup class="cite">1</sup>' in page


def test_passages_close_when_the_gpt_becomes_confidential(gpt, ada, as_person, upstream):
    run = answered(gpt, ada, upstream, "Within two weeks [1].")
    drafts.apply(gpt.pk, {"is_confidential": True})
    versions.publish(gpt, ada, timezone.now())

    assert passage(as_person(ada), run).status_code == 404


def test_a_shared_chat_names_the_files_and_links_to_no_passage(gpt, ada, client, upstream):
    run = answered(gpt, ada, upstream, "Within two weeks [1].")
    run.thread.refresh_from_db()
    share = sharing.publish(run.thread, names_owner=False)

    page = client.get(reverse("conversations:shared", args=[share.token])).content.decode()

    assert "terms.pdf" in page
    assert "/passages/" not in page and run.pk not in page and "Page 2" not in page


# --- Quotations ----------------------------------------------------------------------------------


def test_a_long_quotation_is_cut_in_the_answer_and_on_its_way(gpt, ada, as_person, upstream):
    drafts.apply(gpt.pk, {"quote_words": 4})
    gpt.draft.refresh_from_db()

    run = answered(gpt, ada, upstream, f"It says: {TERMS[1]} [1]")

    assert run.answer.text == "It says: A refund is paid […]. [1]"
    assert "fourteen" not in json.dumps(list(run.steps.values()), default=str)
    assert "more than 4 words" in upstream.requests[0]["messages"][0]["content"]
    assert "repeats at most 4 words in a row" in page_of(as_person(ada), run)
    streamed = events(run)
    assert "fourteen" not in streamed and "paid" in streamed


def test_who_asks_may_quote_what_they_brought_along(ada, upstream, settings):
    gpt = world.trail_planner(ada)
    give(gpt, file_of(ada, "hikes.pdf", ["A hike to the lake takes two hours."]), quote_words=4)
    versions.publish(gpt, ada, timezone.now())
    gpt.refresh_from_db()
    own = ThreadFile.objects.create(person=ada, file=file_of(ada, "mine.pdf", TERMS))
    run = turns.begin(ada, gpt, "When is a refund paid?", timezone.now(), files=[own.pk])
    upstream.script(scripted.ToolCalls([("file_search", {"query": "refund"})]), scripted.Text(f"It says: {TERMS[1]}"))

    execution.execute(run.pk)

    run.refresh_from_db()
    assert TERMS[1] in upstream.requests[-1]["messages"][-1]["content"]
    assert run.answer.text == f"It says: {TERMS[1]}"


def events(run: Run) -> str:
    def read() -> list[str]:
        with redis.Redis.from_url(site_settings.REDIS_URL, decode_responses=True) as client:
            return [fields["event"] for _id, fields in client.xrange(stream.key(run.pk))]

    until(lambda: any(line.startswith("done") for line in read()))
    return "".join(json.loads(line[6:])["text"] for line in read() if line.startswith("delta "))
