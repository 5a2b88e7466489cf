"""What a maker learns of searches, and what nobody does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gptbuilder.accounts.models import User
from gptbuilder.knowledge import records
from gptbuilder.knowledge.models import Search
from gptbuilder.knowledge.search import Found, Hit
from tests import world

pytestmark = pytest.mark.django_db

GPT = "gpt_one"
ASKED = "Where do I send the blue form?"
SAID = "where do i send the blue form"


@pytest.fixture
def people(db) -> list[User]:
    return [world.person(name) for name in ("Ben", "Cleo", "Dora", "Emil", "Finn", "Gus")]


def tomorrow():
    return (timezone.now() + timedelta(days=1)).date()


def hit(words: tuple[str, ...] = ("form",), fused: float = 0.5) -> Hit:
    return Hit(1, "file_1", "a.md", "cont_1", 0, "heading", None, "", "the form", 0, fused=fused, words=words)


def ask(people: list[User], question: str = ASKED, found: Found | None = None) -> None:
    for person in people:
        records.note_search(GPT, question, found or Found((hit(),)), asker=person)


def test_fewer_than_five_people_are_counted_and_their_words_are_nowhere(people):
    ask(people[:4])

    assert not Search.objects.exclude(question="").exists()
    assert records.questions(GPT, tomorrow()) == []
    assert records.totals(GPT, tomorrow()) == records.Totals(searches=4, without_passages=0, without_words=0)


def test_what_five_people_ask_in_the_same_words_is_shown_the_day_after(people):
    variants = [ASKED, "where do I send the BLUE form", "Where do I send the “blue” form?!", ASKED, ASKED]
    for person, words in zip(people, variants, strict=False):
        ask([person], words)

    assert records.questions(GPT, timezone.now().date()) == []
    [question] = records.questions(GPT, tomorrow())
    assert question.text == SAID
    assert question.people == 5
    assert not question.is_makers


def test_one_person_who_asks_often_is_one_person(people):
    ask([people[0]] * 9 + people[1:4])

    assert not Search.objects.exclude(question="").exists()


def test_guests_and_unknown_people_are_nobody(people):
    ask(people[:4])
    for number in range(3):
        guest = User.objects.create(kind=User.Kind.GUEST, name=f"guest {number}")
        records.note_search(GPT, ASKED, Found(), asker=guest)
    records.note_search(GPT, ASKED, Found())

    assert not Search.objects.exclude(question="").exists()
    assert records.questions(GPT, tomorrow()) == []


def test_other_words_are_another_question_and_another_gpt_has_its_own(people):
    ask(people[:4])
    ask([people[4]], "Where do I send the red form?")
    records.note_search("gpt_two", ASKED, Found(), asker=people[4])

    assert not Search.objects.exclude(question="").exists()


def test_what_lies_outside_the_shared_words_is_not_kept(people):
    ask(people[:4])
    ask([people[4]], f"{ASKED} 😀 ☎")

    assert Search.objects.exclude(question="").get().question == SAID


def test_a_question_is_shown_no_longer_than_enough_people_are_remembered(people):
    ask(people[:5])
    Search.objects.filter(pk__in=Search.objects.order_by("pk").values("pk")[:2]).update(
        day=timezone.now().date() - timedelta(days=records.KEPT_DAYS + 1)
    )

    assert records.purge(timezone.now()) == 2
    assert records.questions(GPT, tomorrow()) == []


def test_how_many_asked_is_told_in_steps(people):
    ask(people)

    assert records.questions(GPT, tomorrow())[0].people == 5


def test_a_row_tells_neither_who_nor_which_of_two_questions_one_person_asked(people):
    ask(people[:1])
    ask(people[:1], "Something else?")

    first, second = Search.objects.order_by("pk").values()
    assert people[0].pk not in {str(value) for value in first.values()}
    assert first["asker"] != second["asker"]
    assert {field.name for field in Search._meta.fields} == {
        "id", "holder_id", "day", "question", "question_key", "asker", "is_makers", "found", "found_by_words", "best",
        "by_meaning",
    }  # fmt: skip


def test_the_maker_sees_their_own_at_once_and_as_written(ada):
    records.note_search(GPT, ASKED, Found((hit(fused=0.25), hit((), 0.75)), by_meaning=True), asker=ada, is_makers=True)

    [question] = records.questions(GPT, timezone.now().date())
    assert (question.text, question.is_makers, question.found, question.found_by_words) == (ASKED, True, 2, 1)
    assert Search.objects.get().best == 0.75
    assert records.totals(GPT, tomorrow()).searches == 0


def test_what_found_nothing_comes_first(ada, people):
    ask(people[:5])
    records.note_search(GPT, "And in Norwegian?", Found((hit(()),), by_meaning=True), asker=ada, is_makers=True)

    assert [question.text for question in records.questions(GPT, tomorrow())] == ["And in Norwegian?", SAID]


def test_a_question_is_cut_and_has_no_zero_letters(ada):
    records.note_search(GPT, "x\x00" + "y" * 2000, Found(), asker=ada, is_makers=True)

    assert len(Search.objects.get().question) == Search.QUESTION_LETTERS


def test_forgetting_a_gpt_leaves_the_others(ada):
    for holder in (GPT, "gpt_two"):
        records.note_search(holder, ASKED, Found(), asker=ada, is_makers=True)

    records.forget(GPT)

    assert list(Search.objects.values_list("holder_id", flat=True)) == ["gpt_two"]


def test_noting_is_two_queries(people, django_assert_num_queries):
    with django_assert_num_queries(2):
        ask(people[:1])
