"""Cases: kept once, known again after a file was read anew, gone with their file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from gptbuilder.knowledge import cases, erasing, search
from gptbuilder.knowledge.cases import CaseRefused
from gptbuilder.knowledge.models import KnowledgeFile, Passage, RetrievalCase
from tests.knowledge.conftest import read

pytestmark = pytest.mark.django_db(transaction=True)

GPT = "gpt_one"
HUTS = "# Huts\n\nThe hut by the lake opens on the first of June and closes with the first snow of the year."


@pytest.fixture
def file(ada) -> KnowledgeFile:
    return read(ada, HUTS, "huts.md")


def kept(file: KnowledgeFile, question: str = "When does the hut open?") -> RetrievalCase:
    return cases.add(GPT, question, file, Passage.objects.get(content=file.content_id))


def test_the_same_case_is_kept_once_and_comes_back_when_it_was_removed(file):
    first = kept(file)
    cases.remove(first, timezone.now())
    assert not cases.of(GPT).exists()

    assert kept(file).pk == first.pk
    assert list(cases.of(GPT)) == [first]


def test_a_removed_case_can_be_brought_back_for_a_day(file):
    case, now = kept(file), timezone.now()
    cases.remove(case, now)

    assert cases.purge(now + timedelta(hours=23)) == 0
    cases.bring_back(case)
    assert cases.purge(now + timedelta(days=9)) == 0
    cases.remove(case, now)
    assert cases.purge(now + timedelta(hours=25)) == 1


def test_a_case_needs_a_question_and_there_are_not_too_many(file, monkeypatch):
    with pytest.raises(CaseRefused):
        kept(file, " \x00 ")
    monkeypatch.setattr(cases, "CASES_MOST", 1)
    kept(file)
    with pytest.raises(CaseRefused):
        kept(file, "Another?")


def test_a_long_question_of_wide_letters_fits_its_index(file):
    assert len(kept(file, "𠀀" * 2000).question) == RetrievalCase.QUESTION_LETTERS


def test_a_passage_is_known_again_by_half_of_its_words():
    words = [f"word{number}" for number in range(40)]
    whole, first_half = " ".join(words), " ".join(words[:20])

    assert cases.alike(whole, first_half)
    assert cases.alike(whole, " ".join(words[10:] + ["new"] * 10))
    assert not cases.alike(whole, " ".join(words[::-1]))
    assert not cases.alike(whole, " ".join(words[32:] + [f"other{number}" for number in range(30)]))
    assert cases.alike("雨天去博物馆看展览", "雨天去博物馆看展览，门票")
    assert not cases.alike("", "")
    assert cases.alike("two words", "two words")


def test_the_same_words_of_another_file_are_another_passage_unless_the_file_is_gone(file):
    case = kept(file)
    [hit] = search.search([file.pk], "hut")
    other = replace(hit, file_id="file_other")

    assert cases.is_meant(case, hit, has_file=True)
    assert not cases.is_meant(case, other, has_file=True)
    assert cases.is_meant(case, other, has_file=False)


def test_a_case_goes_along_when_its_file_is_replaced(ada, file):
    case = kept(file)
    newer = read(ada, HUTS.replace("June", "May"), "huts-2.md")

    cases.move(GPT, file.pk, newer)

    case.refresh_from_db()
    assert (case.file_id, case.file_name) == (newer.pk, "huts-2.md")


def test_an_erased_file_takes_the_words_its_cases_kept(file):
    kept(file)

    erasing.erase([file], timezone.now())

    assert not RetrievalCase.objects.exists()
