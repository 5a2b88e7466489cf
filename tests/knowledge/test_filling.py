"""Vectors are made in the background, each text once, and another model takes over without a gap."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gptbuilder.knowledge import filling, indexes, search
from gptbuilder.knowledge.models import Content, EmbeddingIndex, Vector
from tests.knowledge.conftest import embed_all, given, read
from tests.meaning import MeaningServer, Status

pytestmark = pytest.mark.django_db(transaction=True)

State = Content.State
TEXT = "# Cars\n\nThe automobile costs nine thousand euros."


def parts(count: int, what: str = "part") -> str:
    return "\n\n".join(f"## {what} {number}\n\nThe {what} of number {number}." for number in range(count))


def build_all() -> None:
    while filling.fill_building(timezone.now()):
        pass


def test_identical_text_is_embedded_once_in_whatever_file_it_stands(ada, ben, meaning):
    for person in (ada, ben):
        read(person, f"{TEXT}\n\n## {person.name}\n\nOnly {person.name} has this.")
    embed_all()

    assert len(meaning.texts) == len(set(meaning.texts)) == 3
    assert Vector.objects.count() == 4
    assert set(Content.objects.values_list("state", flat=True)) == {State.READY}


def test_a_text_that_stands_twice_in_a_file_is_embedded_once(ada, meaning):
    read(ada, "\n\n".join(["## Same\n\nThe same."] * 6))
    embed_all()

    assert meaning.texts == ["Same\nThe same."]
    assert Vector.objects.count() == 6


def test_a_short_file_does_not_wait_for_a_long_one(ada, meaning):
    long, short = read(ada, parts(40)), read(ada, TEXT)

    embed_all()

    assert "Cars" in meaning.requests[0]["input"][0]
    assert {long.content_id, short.content_id} == set(
        Content.objects.filter(state=State.READY).values_list("pk", flat=True)
    )
    assert max(len(request["input"]) for request in meaning.requests) == 4


def test_when_the_endpoint_fails_the_file_stays_searchable_and_is_tried_again_later(ada, meaning):
    file = read(ada, TEXT)
    meaning.answers.append(Status(401, {"error": {"message": "wrong key"}}))

    assert filling.fill() is False

    content = Content.objects.get()
    assert (content.state, content.embedding_error) == (State.WORDS, "unauthorized")
    assert len(search.search([file.pk], "automobile")) == 1
    assert filling.fill() is False
    assert Content.objects.get().state == State.WORDS, "not yet again"

    Content.objects.update(heartbeat_at=timezone.now() - filling.PAUSE - timedelta(seconds=1))
    filling.fill()
    content = Content.objects.get()
    assert (content.state, content.embedding_error) == (State.READY, "")


def test_what_a_dead_worker_held_is_taken_up_again(ada, meaning):
    read(ada, TEXT)
    Content.objects.update(heartbeat_at=timezone.now())
    assert filling.fill() is False
    assert Content.objects.get().state == State.WORDS

    Content.objects.update(heartbeat_at=timezone.now() - filling.SILENT - timedelta(seconds=1))
    filling.fill()

    assert Content.objects.get().state == State.READY


def test_no_more_than_two_workers_embed_so_that_reading_never_waits(ada, meaning):
    for number in range(3):
        read(ada, f"{TEXT} {number}")
    busy = list(Content.objects.order_by("pk")[: filling.PUMPS])
    Content.objects.filter(pk__in=[content.pk for content in busy]).update(heartbeat_at=timezone.now())

    assert filling.fill() is False
    assert meaning.requests == []


def test_without_a_model_words_are_all_there_is(ada):
    file = read(ada, TEXT)

    assert filling.fill() is False
    assert not EmbeddingIndex.objects.exists()
    assert (search.search([file.pk], "automobile").by_meaning, Content.objects.get().state) == (False, State.WORDS)


def test_a_passage_that_became_another_text_meanwhile_gets_no_vector(ada, meaning):
    from gptbuilder.knowledge import vectors
    from gptbuilder.knowledge.models import Passage

    read(ada, TEXT)
    indexes.ensure()
    index = indexes.serving()
    [missing] = vectors.missing(index, Content.objects.get().pk, 5)
    Passage.objects.update(sha256="0" * 64)

    vectors.write(index, [missing], [(1.0, 0.0)])

    assert not Vector.objects.exists()


def test_vectors_of_another_size_are_refused(ada, meaning):
    read(ada, TEXT)
    embed_all()
    meaning.dimensions = 32
    read(ada, DIFFERENT)

    filling.fill()

    content = Content.objects.get(state=State.WORDS)
    assert content.embedding_error == "refused"
    assert Vector.objects.count() == 1


DIFFERENT = "# Doctors\n\nThe physician sees patients on Monday."


def test_another_model_is_filled_beside_the_old_one_which_serves_until_then(ada, meaning, settings):
    file = read(ada, f"{TEXT}\n\n{parts(9)}")
    embed_all()
    with MeaningServer(dimensions=96) as second:
        settings.EMBEDDING_BASE_URL, settings.EMBEDDING_MODEL, settings.EMBEDDING_API_KEY = second.url, "new", "new-key"
        indexes.ensure()
        old, new = indexes.serving(), indexes.building()
        assert (old.model, new.model) == ("first-model", "new")

        asked = len(meaning.requests)
        assert search.search([file.pk], "vehicle").by_meaning
        assert len(meaning.requests) == asked + 1, "the old vectors are searched by the old model, at its own address"
        assert meaning.keys[-1] == "Bearer meaning-key"

        build_all()

        assert indexes.building() is None
        assert indexes.serving().pk == new.pk
        assert Content.objects.get().state == State.READY
        found = search.search([file.pk], "vehicle")
        assert (found.by_meaning, found.hits[0].title) == (True, "Cars")
        assert second.keys[-1] == "Bearer new-key"
        assert indexes.clear_retired() == 10
        assert set(Vector.objects.values_list("index", flat=True)) == {new.pk}


def test_a_file_that_comes_during_the_change_is_in_both(ada, meaning, settings):
    read(ada, parts(3))
    embed_all()
    settings.EMBEDDING_MODEL = "second-model"
    indexes.ensure()
    read(ada, TEXT)

    embed_all()
    assert Content.objects.filter(state=State.READY).count() == 2
    build_all()

    assert indexes.serving().model == "second-model"
    assert indexes.progress(indexes.serving()) == (4, 4)


def test_a_change_that_is_taken_back_leaves_the_old_vectors(ada, meaning, settings):
    read(ada, TEXT)
    embed_all()
    settings.EMBEDDING_MODEL = "second-model"
    indexes.ensure()
    settings.EMBEDDING_MODEL = "first-model"
    indexes.ensure()

    assert indexes.building() is None
    assert indexes.serving().model == "first-model"


def test_only_one_worker_builds(ada, meaning, settings):
    read(ada, TEXT)
    embed_all()
    settings.EMBEDDING_MODEL = "second-model"
    indexes.ensure()

    assert indexes.claim(indexes.building(), timezone.now())
    assert filling.fill_building(timezone.now()) is False
    assert filling.fill_building(timezone.now() + indexes.SILENT + timedelta(seconds=1)) is False
    assert indexes.serving().model == "second-model"


def test_the_key_of_an_endpoint_is_sealed(ada, meaning):
    indexes.ensure()

    index = indexes.serving()
    assert "meaning-key" not in index.sealed_key
    assert index.open_key() == "meaning-key"


def test_another_address_for_the_same_model_needs_no_new_vectors(ada, meaning, settings):
    read(ada, TEXT)
    embed_all()
    with MeaningServer() as moved:
        settings.EMBEDDING_BASE_URL = moved.url
        indexes.ensure()

        assert indexes.building() is None
        assert indexes.serving().base_url == moved.url


def test_uploaded_files_wait_for_their_reader_not_for_vectors(ada, meaning):
    given(ada, TEXT)

    assert filling.fill() is False
    assert meaning.requests == []
