"""All cases at once: found, found too low, missed, gone; and what a worker that dies leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gptbuilder.accounts.models import User
from gptbuilder.knowledge import cases, trials
from gptbuilder.knowledge.models import KnowledgeFile, Passage, RetrievalCase, RetrievalTrial
from tests.knowledge.conftest import embed_all, read

pytestmark = pytest.mark.django_db(transaction=True)

GPT = "gpt_one"
HUTS = "# Huts\n\nThe hut by the lake opens on the first of June and closes with the first snow."
CARS = "# Cars\n\nThe automobile may be left at the station for nine euros a day, or at the school."


@pytest.fixture(autouse=True)
def no_worker(monkeypatch) -> list[int]:
    """Trials are made when a test says so."""
    sent: list[int] = []
    monkeypatch.setattr(trials, "_hand_over", sent.append)
    return sent


def kept(file: KnowledgeFile, question: str) -> RetrievalCase:
    return cases.add(GPT, question, file, Passage.objects.filter(content=file.content_id).earliest("position"))


def made(*files: KnowledgeFile) -> RetrievalTrial:
    trial = trials.begin(GPT, [file.pk for file in files], timezone.now())
    trials.run(trial.pk)
    trial.refresh_from_db()
    return trial


def outcomes(trial: RetrievalTrial) -> dict[str, tuple[str, int | None]]:
    return {outcome["case"]: (outcome["outcome"], outcome["rank"]) for outcome in trial.outcomes}


def test_each_case_has_its_place_and_recall_is_the_share_that_was_found(ada: User):
    huts, cars = read(ada, HUTS, "huts.md"), read(ada, CARS, "cars.md")
    found, missed = kept(huts, "When does the hut open?"), kept(cars, "Weather in Oslo?")

    trial = made(huts, cars)

    assert outcomes(trial) == {found.pk: ("found", 1), missed.pk: ("missed", None)}
    assert trial.recall == 0.5
    assert not trial.by_meaning
    assert trial.ended_at


def test_meaning_finds_what_words_do_not(ada: User, meaning):
    huts, cars = read(ada, HUTS, "huts.md"), read(ada, CARS, "cars.md")
    embed_all()
    case = kept(cars, "vehicle")

    trial = made(huts, cars)

    assert outcomes(trial) == {case.pk: ("found", 1)}
    assert trial.by_meaning


def test_what_comes_after_the_first_ten_is_found_too_low(ada: User, monkeypatch):
    huts, cars = read(ada, HUTS, "huts.md"), read(ada, "# Huts\n\nhut", "short.md")
    monkeypatch.setattr(trials, "FIRST", 1)
    case = kept(huts, "hut")

    assert outcomes(made(huts, cars)) == {case.pk: ("low", 2)}


def test_a_passage_that_is_in_no_file_is_gone(ada: User):
    huts, cars = read(ada, HUTS, "huts.md"), read(ada, CARS, "cars.md")
    case = kept(huts, "When does the hut open?")

    assert outcomes(made(cars)) == {case.pk: ("gone", None)}


def test_a_case_keeps_up_with_a_file_that_is_cut_anew(ada: User):
    huts = read(ada, HUTS, "huts.md")
    case = kept(huts, "When does the hut open?")
    newer = read(ada, HUTS.replace("June and", "May, in wet years later, and"), "huts-2.md")

    assert outcomes(made(newer)) == {case.pk: ("found", 1)}
    case.refresh_from_db()
    assert case.file_id == newer.pk
    assert "May" in case.text


def test_there_is_one_trial_at_a_time_and_a_silent_one_makes_room(ada: User, no_worker):
    huts, now = read(ada, HUTS), timezone.now()
    kept(huts, "hut")

    first = trials.begin(GPT, [huts.pk], now)
    assert trials.begin(GPT, [huts.pk], now).pk == first.pk
    assert trials.unfinished(GPT, now) == first
    late = now + trials.SILENT + timedelta(seconds=1)
    assert trials.unfinished(GPT, late) == first, "it may wait for its turn"
    RetrievalTrial.objects.update(outcomes=[{"case": "x", "outcome": "found", "rank": 1}])
    assert trials.unfinished(GPT, late) is None
    second = trials.begin(GPT, [huts.pk], late)

    assert second.pk != first.pk
    trials.run(first.pk)
    assert RetrievalTrial.objects.get() == second
    assert no_worker == [first.pk, second.pk]


def test_a_trial_that_is_run_twice_comes_to_the_same(ada: User):
    huts = read(ada, HUTS)
    kept(huts, "hut")
    trial = made(huts)

    before = RetrievalTrial.objects.values().get()
    trials.run(trial.pk)

    assert RetrievalTrial.objects.values().get() == before


def test_without_cases_or_files_there_is_nothing_to_try(ada: User):
    with pytest.raises(trials.NothingToTry):
        trials.begin(GPT, ["file_1"], timezone.now())
    kept(read(ada, HUTS), "hut")
    with pytest.raises(trials.NothingToTry):
        trials.begin(GPT, [], timezone.now())


def test_the_history_is_bounded_and_goes_with_the_gpt(ada: User, monkeypatch):
    huts = read(ada, HUTS)
    kept(huts, "hut")
    monkeypatch.setattr(trials, "KEPT", 2)
    ids = [made(huts).pk for _ in range(3)]

    assert [trial.pk for trial in trials.history(GPT)] == ids[1:]
    cases.forget(GPT)
    assert trials.history(GPT) == []
