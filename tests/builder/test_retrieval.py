"""The page on which a maker tries the search, with and without JavaScript."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from gptbuilder.accounts import exports
from gptbuilder.accounts.models import User
from gptbuilder.builder import finding, tasks
from gptbuilder.gpts import deleting, files
from gptbuilder.gpts.models import GPT
from gptbuilder.gpts.personal_data import HOLDING
from gptbuilder.knowledge import cases, records, trials
from gptbuilder.knowledge.marking import Piece
from gptbuilder.knowledge.models import Passage, RetrievalCase, RetrievalTrial, Search
from gptbuilder.knowledge.search import Found
from gptbuilder.workspaces.models import Membership, Workspace
from tests import world
from tests.knowledge.conftest import embed_all, meaning, no_embedding_model, read, sealing_keys  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)

HUTS = "# Huts\n\nThe hut by the lake opens on the first of June."
CARS = "# Cars\n\nThe automobile may be left at the station for nine euros."


@pytest.fixture(autouse=True)
def quick_trials(monkeypatch) -> None:
    """The worker is at once done."""
    monkeypatch.setattr(trials, "_hand_over", trials.run)


@pytest.fixture
def gpt(ada: User) -> GPT:
    gpt = world.trail_planner(ada)
    files.add(gpt, [read(ada, HUTS, "huts.md"), read(ada, CARS, "cars.md")])
    return GPT.objects.select_related("draft").get(pk=gpt.pk)


@pytest.fixture
def client(ada: User, as_person):
    return as_person(ada)


def page(client, gpt: GPT, **values: str) -> str:
    return client.get(reverse("builder:retrieval", args=[gpt.pk]), values).content.decode()


def keep(client, gpt: GPT, question: str = "When does the hut open?", **more: str):
    file = gpt.draft.files[0]["id"]
    passage = Passage.objects.get(content__files=file).pk
    values = {"question": question, "file": file, "passage": passage, **more}
    return client.post(reverse("builder:cases", args=[gpt.pk]), values)


def test_a_question_shows_what_is_found_and_which_words_of_it(client, gpt):
    html = page(client, gpt, question="When do huts open?")

    assert "1 passage found" in html
    assert "By words only." in html
    assert "The <mark>hut</mark> by the lake <mark>opens</mark>" in html
    assert 'class="badge" dir="auto">huts</span>' in html
    assert "This passage should be found" in html


def test_meaning_has_a_bar_and_says_so(client, gpt, meaning):  # noqa: F811
    embed_all()
    html = page(client, gpt, question="vehicle")

    assert "By meaning" in html
    assert "None of the words" in html
    assert "2 passages found" in html
    assert "can be found by meaning so far" not in html


def test_until_all_vectors_are_there_it_says_how_many_are_missing(client, gpt):
    assert "Only 0 of 2 passages can be found by meaning so far." in page(client, gpt)


def test_a_question_that_finds_nothing_leads_to_the_files(client, gpt):
    html = page(client, gpt, question="Oslo & “more”?")

    assert "Nothing is found" in html
    assert f"{reverse('builder:passages', args=[gpt.pk, gpt.draft.files[0]['id']])}?question=Oslo%20%26" in html


def test_a_gpt_without_files_says_where_to_add_them(client, ada):
    html = page(client, world.trail_planner(ada), question="huts")

    assert "No files to search yet" in html
    assert reverse("builder:configure", args=[GPT.objects.get().pk]) in html


def test_an_erased_file_is_not_searched(client, gpt):
    file_id = gpt.draft.files[0]["id"]
    files.erase(gpt, file_id, timezone.now())

    assert "Nothing is found" in page(client, gpt, question="hut")
    assert client.get(reverse("builder:passages", args=[gpt.pk, file_id])).status_code == 404


def test_a_passage_becomes_a_case_and_the_page_comes_back_with_its_question(client, gpt):
    response = keep(client, gpt)

    assert response.status_code == 302
    assert response.url == f"{reverse('builder:retrieval', args=[gpt.pk])}?question=When+does+the+hut+open%3F"
    assert 'aria-pressed="true"' in client.get(response.url).content.decode()
    assert RetrievalCase.objects.get().holder_id == gpt.pk


def test_a_passage_of_no_file_of_the_draft_is_no_case(client, gpt, ben):
    stranger = read(ben, HUTS.replace("lake", "river"), "theirs.md")
    passage = Passage.objects.get(content=stranger.content_id)
    address = reverse("builder:cases", args=[gpt.pk])

    tried = [
        client.post(address, {"question": "x", "file": stranger.pk, "passage": passage.pk}),
        client.post(address, {"question": "x", "file": gpt.draft.files[0]["id"], "passage": passage.pk}),
        client.post(address, {"question": "x", "file": gpt.draft.files[0]["id"], "passage": "one"}),
        client.get(reverse("builder:passages", args=[gpt.pk, stranger.pk])),
    ]

    assert [response.status_code for response in tried] == [404, 404, 404, 404]
    assert not RetrievalCase.objects.exists()


def test_a_file_is_looked_through_and_the_way_leads_back(client, gpt):
    address = reverse("builder:passages", args=[gpt.pk, gpt.draft.files[0]["id"]])
    html = client.get(address, {"question": "June?", "words": "lakes"}).content.decode()

    assert "<mark>lake</mark>" in html
    assert "This passage should be found" in html
    response = keep(client, gpt, "June?", looking_through=gpt.draft.files[0]["id"], words="lakes", page="1")
    assert response.url == f"{address}?question=June%3F&words=lakes&page=1"
    assert "None of these words stands in this file." in client.get(address, {"words": "Oslo"}).content.decode()
    assert "This passage should be found" not in client.get(address).content.decode()


def test_a_case_is_removed_and_brought_back(client, gpt):
    keep(client, gpt)
    case = RetrievalCase.objects.get()

    response = client.post(reverse("builder:case_deletion", args=[gpt.pk, case.pk]))
    html = client.get(response.url).content.decode()
    assert "Undo" in html
    assert not cases.of(gpt.pk).exists()
    client.post(reverse("builder:case_recovery", args=[gpt.pk, case.pk]))
    assert cases.of(gpt.pk).exists()


def test_cases_are_tried_and_recall_is_drawn_with_its_numbers(client, gpt):
    keep(client, gpt)
    address = reverse("builder:trials", args=[gpt.pk])
    client.post(address)
    keep(client, gpt, "Weather in Oslo?")
    client.post(address)

    html = page(client, gpt)
    assert '<polyline points="0.0,0.0 480.0,48.0"/>' in html
    assert "1 of 2 among the first ten" in html
    assert "Place 1" in html
    assert "Not found" in html
    assert "<table" in html
    assert html.index("Weather in Oslo?") < html.index("When does the hut open?")


def test_a_trial_that_is_being_made_shows_how_far_it_is(client, gpt, monkeypatch):
    monkeypatch.setattr(trials, "_hand_over", lambda _pk: None)
    keep(client, gpt)
    client.post(reverse("builder:trials", args=[gpt.pk]))

    html = client.get(reverse("builder:cases", args=[gpt.pk])).content.decode()
    assert "Trying: 0 of 1" in html
    assert 'hx-trigger="every 1s"' in html
    trials.run(RetrievalTrial.objects.get().pk)
    html = client.get(reverse("builder:cases", args=[gpt.pk])).content.decode()
    assert "Place 1" in html
    assert "hx-trigger" not in html


def test_trying_nothing_says_so(client, gpt):
    response = client.post(reverse("builder:trials", args=[gpt.pk]))

    assert "There is nothing to try" in client.get(response.url).content.decode()


def test_the_log_shows_what_is_allowed_and_says_the_rule(client, gpt, ada, cleo):
    records.note_search(gpt.pk, "My own question?", Found(), asker=ada, is_makers=True)
    records.note_search(gpt.pk, "Cleos secret", Found(), asker=cleo)
    Search.objects.update(day=timezone.now().date() - timedelta(days=1))

    html = page(client, gpt)
    assert "My own question?" in html
    assert "Cleos" not in html
    assert "cleos" not in html
    assert "1 search by others in 90 days" in html
    assert "once 5 signed-in people have asked it in the same words" in html


def test_who_talks_to_a_gpt_with_files_is_told_what_its_maker_may_learn(as_person, ada, cleo, ben):
    gpt = world.shared_trail_planner(ada)
    link = reverse("conversations:link", args=[gpt.link_token])
    sentence = "What five people search for in the same words is shown to them"
    assert sentence not in as_person(cleo).get(link).content.decode()

    files.add(gpt, [read(ada, HUTS)])
    as_person(ada).post(reverse("builder:publication", args=[gpt.pk]), {"audience": "link"})

    assert sentence in as_person(ben).get(link).content.decode()
    assert sentence not in as_person(ada).get(reverse("conversations:gpt", args=[gpt.pk])).content.decode()


def test_a_purged_gpt_leaves_nothing_of_its_searches(client, gpt, ada):
    keep(client, gpt)
    client.post(reverse("builder:trials", args=[gpt.pk]))
    records.note_search(gpt.pk, "x", Found(), asker=ada, is_makers=True)
    deleting.delete(gpt, timezone.now() - timedelta(days=deleting.KEPT_DAYS + 1))

    tasks.purge_deleted_gpts()

    assert not any(model.objects.exists() for model in (Search, RetrievalCase, RetrievalTrial))


def test_a_copy_of_ones_data_has_ones_own_searches_and_no_others(gpt, ada, cleo):
    records.note_search(gpt.pk, "mine", Found(), asker=ada, is_makers=True)
    records.note_search(gpt.pk, "theirs", Found(), asker=cleo)

    table = next(table for table in HOLDING.tables if table.model == "knowledge.Search")
    assert [row.question for row in table.rows(ada)] == ["mine"]
    assert not table.rows(cleo).exists()
    assert "mine" in "".join(exports._json(table, ada))


def test_an_account_that_goes_takes_its_searches_and_a_colleague_gets_the_cases_alone(client, gpt, ada, ben):
    company = Workspace.objects.create(name="Company")
    Membership.objects.create(workspace=company, user=ben, role=Membership.Role.OWNER)
    keep(client, gpt)
    records.note_search(gpt.pk, "mine", Found(), asker=ada, is_makers=True)
    GPT.objects.filter(pk=gpt.pk).update(workspace=company)

    HOLDING.delete(ada)

    assert GPT.objects.get(pk=gpt.pk).owner == ben
    assert not Search.objects.exists()
    assert RetrievalCase.objects.get().holder_id == gpt.pk
    GPT.objects.filter(pk=gpt.pk).update(workspace=Workspace.objects.personal(ben))
    HOLDING.delete(ben)
    assert not RetrievalCase.objects.exists()


def test_an_excerpt_begins_before_the_first_marked_word():
    pieces = [Piece("a" * 500, is_hit=False), Piece("hut", is_hit=True), Piece("b" * 500, is_hit=False)]

    cut = finding.excerpt(pieces)

    assert [piece.text for piece in cut if piece.is_hit] == ["hut"]
    assert (cut[0].text, cut[-1].text) == ("… ", " …")
    assert len("".join(piece.text for piece in cut[1:-1])) == finding.EXCERPT
    words = finding.excerpt([Piece("many words " * 90, is_hit=False), Piece("hut", is_hit=True)])
    assert {word for piece in words for word in piece.text.split()} == {"…", "many", "words", "hut"}
    assert finding.excerpt([Piece("short", is_hit=False)]) == [Piece("short", is_hit=False)]
