"""What is found, why, and that nothing is found of what was not asked for."""

from __future__ import annotations

import pytest
from django.utils import timezone

from gptbuilder.knowledge import erasing, lexical, search, vectors
from gptbuilder.knowledge.models import Content, KnowledgeFile, Passage, Posting, Vector
from tests.knowledge.conftest import embed_all, given, read
from tests.meaning import Status

pytestmark = pytest.mark.django_db(transaction=True)

CARS = "# Cars\n\nThe automobile costs nine thousand euros."
DOCTORS = "# Doctors\n\nThe physician sees patients on Monday."
RAIN = "# 雨天\n\n下雨天可以带孩子去博物馆，门票很便宜。"


def titles(found: search.Found) -> list[str]:
    return [hit.title for hit in found]


def test_one_list_over_all_files_says_where_each_passage_stands(ada):
    cars, doctors = read(ada, CARS, "cars.md"), read(ada, DOCTORS, "doctors.md")

    found = search.search([cars.pk, doctors.pk], "When does the physician drive the automobile?")

    assert sorted(titles(found)) == ["Cars", "Doctors"]
    hit = next(hit for hit in found if hit.title == "Doctors")
    assert (hit.file_id, hit.file_name, hit.content_id, hit.kind) == (
        doctors.pk,
        "doctors.md",
        doctors.content_id,
        "heading",
    )
    assert hit.words == ("physician",)
    assert hit.lexical > 0
    assert hit.lexical_rank in (1, 2)


def test_words_match_by_their_stems_and_meaning_without_words(ada, meaning):
    cars, doctors = read(ada, CARS), read(ada, DOCTORS)
    embed_all()
    both = [cars.pk, doctors.pk]

    assert titles(search.search(both, "costing"))[0] == "Cars"
    found = search.search(both, "vehicle")
    assert found.by_meaning
    assert titles(found)[0] == "Cars"
    assert found.hits[0].words == ()
    assert found.hits[0].lexical_rank is None
    assert found.hits[0].dense_rank == 1
    assert found.hits[0].dense > 0.2
    assert meaning.keys[-1] == "Bearer meaning-key"


def test_chinese_is_found_in_either_script(ada):
    file = read(ada, RAIN)

    assert titles(search.search([file.pk], "下雨天去哪里？")) == ["雨天"]
    assert titles(search.search([file.pk], "博物館門票")) == ["雨天"]
    assert search.search([file.pk], "博物館門票").hits[0].words == ("博物", "物馆", "门票")


def test_german_is_stemmed_as_german_and_accents_may_be_left_out(ada):
    german = read(
        ada, "Die Verträge werden von der Geschäftsführung geprüft und sind dann für alle im Haus gültig.", "v.txt"
    )
    accents = read(ada, "The résumé of the café owner is in the drawer of the desk.", "a.txt")

    assert german.content.language == "german"
    assert len(search.search([german.pk], "Vertrag")) == 1
    assert len(search.search([german.pk], "gultig")) == 1
    assert len(search.search([accents.pk], "resume")) == 1
    assert len(search.search([accents.pk, german.pk], "Vertrag resume")) == 2


def test_a_rare_word_counts_more_than_a_common_one(ada):
    filler = "\n\n".join(f"## Part {name}\n\nThe price of the {name} is in the list." for name in "abcdefgh")
    file = read(ada, f"{filler}\n\n## Part z\n\nThe gazebo is green.")

    assert search.search([file.pk], "price of the gazebo").hits[0].title == "Part z"


def test_no_passage_of_a_file_that_was_not_asked_for_is_ever_found(ada, ben, meaning):
    mine, other, theirs = read(ada, CARS), read(ada, DOCTORS), read(ben, CARS + "\n\nSecret: Ben's automobile.")
    embed_all()

    for question in ("automobile physician", "vehicle", "Secret: Ben's automobile.", "the", "?"):
        assert {hit.file_id for hit in search.search([mine.pk], question)} <= {mine.pk}
    assert len(search.search([], "automobile")) == 0
    assert len(search.search(["file_unknown", other.content_id], "automobile")) == 0
    assert {hit.file_id for hit in search.search([theirs.pk], "automobile")} == {theirs.pk}


def test_the_words_of_strangers_weigh_nothing(ada, ben):
    mine = read(ada, CARS + "\n\n## Other\n\nNothing of that kind.")
    before = search.search([mine.pk], "automobile").hits[0].lexical

    for number in range(5):
        read(ben, f"The automobile of another person, number {number}.")

    assert search.search([mine.pk], "automobile").hits[0].lexical == before


def test_an_erased_file_is_gone_with_all_that_was_made_of_it(ada, meaning):
    file = read(ada, CARS)
    embed_all()
    stored = file.content.file

    erasing.erase([file], timezone.now())

    assert len(search.search([file.pk], "automobile")) == 0
    for model in (Content, Passage, Posting, Vector):
        assert not model.objects.exists(), model
    assert not stored.storage.exists(stored.name)
    file.refresh_from_db()
    assert file.is_erased
    assert file.erased_at is not None
    assert file.name == "notes.md"


def test_the_bytes_of_two_files_go_with_the_second(ada):
    one, two = read(ada, CARS, "one.md"), given(ada, CARS, "two.md")
    assert one.content_id == two.content_id
    assert [hit.file_id for hit in search.search([two.pk, one.pk], "automobile")] == [two.pk]

    erasing.erase([one], timezone.now())

    assert [hit.file_name for hit in search.search([one.pk, two.pk], "automobile")] == ["two.md"]
    erasing.erase(KnowledgeFile.objects.all(), timezone.now())
    assert not Content.objects.exists()


def test_words_alone_answer_while_the_model_does_not(ada, meaning):
    file = read(ada, CARS)
    embed_all()
    meaning.answers.append(Status(500, "down"))

    found = search.search([file.pk], "automobile")

    assert titles(found) == ["Cars"]
    assert (found.by_meaning, found.problem) == (False, "unreachable")
    assert search.search([file.pk], "automobile").by_meaning


def test_a_model_that_became_another_one_is_not_believed(ada, meaning):
    file = read(ada, CARS)
    embed_all()
    meaning.dimensions = 32

    found = search.search([file.pk], "automobile")

    assert titles(found) == ["Cars"]
    assert (found.by_meaning, found.problem) == (False, "garbage")


@pytest.mark.parametrize(
    "question", ["", "   ", "\x00", "???", "a" * 100_000, "' OR 1=1 --", "\ud800"[:0] + "%s %(x)s"]
)
def test_no_question_breaks_it(ada, meaning, question):
    file = read(ada, CARS)
    embed_all()

    assert len(search.search([file.pk], question)) <= 1


def test_a_reranker_has_the_last_word_when_it_answers(ada, settings, meaning):
    settings.RERANK_BASE_URL, settings.RERANK_MODEL = meaning.url, "judge"
    file = read(ada, "## One\n\ncar car car wheel\n\n## Two\n\nthe red car of the mayor")
    embed_all()

    found = search.search([file.pk], "the red car of the mayor")
    assert found.hits[0].title == "Two"
    assert found.hits[0].reranked > found.hits[1].reranked

    meaning.answers += [Status(200, {"data": [{"index": 0, "embedding": [1.0] + [0.0] * 63}]}), Status(500, "down")]
    assert found.hits[0].passage_id in {hit.passage_id for hit in search.search([file.pk], "the red car of the mayor")}


def test_a_graph_finds_what_comparing_all_finds(ada, meaning, monkeypatch):
    parts = "\n\n".join(
        f"## Part {number}\n\nword{chr(97 + number % 26)} and car number {number}." for number in range(60)
    )
    file = read(ada, parts)
    embed_all()
    exact = [hit.passage_id for hit in search.search([file.pk], "vehicle wordc")]

    from gptbuilder.knowledge import indexes

    index = indexes.serving()
    monkeypatch.setattr(vectors, "EXACT_MOST", 10)
    vectors.build_graph(index)

    assert vectors.has_graph(index)
    assert set(exact[:5]) <= {hit.passage_id for hit in search.search([file.pk], "vehicle wordc")}
    vectors.drop_graph(index)
    assert not vectors.has_graph(index)


def test_the_most_common_words_are_left_out_when_there_is_no_room(ada, monkeypatch):
    file = read(ada, "\n\n".join(f"## Part {number}\n\ncommon word" for number in range(20)) + "\n\n## Last\n\nrare")
    monkeypatch.setattr(lexical, "ENTRIES_MOST", 5)

    assert titles(search.search([file.pk], "common rare")) == ["Last"]
    assert len(search.search([file.pk], "common", limit=50)) == 20
