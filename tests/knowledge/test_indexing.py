"""A file becomes searchable, whoever dies meanwhile and however often it is tried."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from gptbuilder.knowledge import indexing, lexical, ocr
from gptbuilder.knowledge.models import Content, Passage, Posting, Vector
from gptbuilder.knowledge.search import search
from tests.knowledge.conftest import embed_all, given, read
from tests.knowledge.reading import samples

pytestmark = pytest.mark.django_db(transaction=True)

State = Content.State
RULES = "# Rules\n\nThe refund takes ten working days.\n\n## Returns\n\n" + "Send the parcel back to us. " * 40


def state_of(file) -> Content:
    return Content.objects.get(files=file)


def everything(content_id: str) -> list[object]:
    """What a search could see of it, without the ids that a database gives."""
    passages = list(Passage.objects.filter(content=content_id).values_list("position", "title", "text", "sha256"))
    words = list(Posting.objects.filter(content=content_id).values_list("lexeme", "passage_count"))
    return [passages, sorted(words)]


def test_a_file_is_searchable_by_words_as_soon_as_it_is_read(ada):
    file = read(ada, RULES)

    content = state_of(file)
    assert (content.state, content.outcome, content.kind) == (State.WORDS, "ok", "markdown")
    assert content.passage_count == Passage.objects.filter(content=content).count() >= 2
    assert (content.section_count, content.embedded_count, content.tries) == (2, 0, 0)
    found = search([file.pk], "refund")
    assert [hit.title for hit in found] == ["Rules"]
    assert not found.by_meaning


def test_words_are_found_while_pictures_are_still_read(ada, monkeypatch):
    picture = samples.stream(
        samples.picture("Ducks", "JPEG"),
        "/Type/XObject/Subtype/Image/Width 1200/Height 300/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/DCTDecode",
    )
    pages = [samples.shown("The refund takes ten days"), b"280 0 0 70 10 100 cm /I Do"]
    scan = samples.pdf(*pages, resources="/XObject<</I 8 0 R>>", objects=[picture])
    file = given(ada, scan, "rules.pdf")
    meanwhile = []

    def recognise(path, kind, unread, password):
        meanwhile.append((state_of(file).state, unread, [hit.number for hit in search([file.pk], "refund")]))
        return {2: "Ducks swim"}

    monkeypatch.setattr(ocr, "languages", lambda: ("eng",))
    monkeypatch.setattr(ocr, "recognise", recognise)
    indexing.index(file.content_id)

    assert meanwhile == [(State.READING, (2,), [1])]
    assert (state_of(file).state, state_of(file).section_count, state_of(file).tries) == (State.WORDS, 2, 0)
    assert [hit.number for hit in search([file.pk], "ducks")] == [2]


def test_it_is_ready_when_every_passage_has_its_vector(ada, meaning):
    file = read(ada, RULES)

    embed_all()

    content = state_of(file)
    assert content.state == State.READY
    assert content.embedded_count == content.passage_count == Vector.objects.filter(content=content).count()


def test_reading_twice_gives_the_same_and_keeps_the_vectors(ada, meaning):
    file = read(ada, RULES)
    embed_all()
    content, asked = state_of(file), len(meaning.texts)
    before = everything(content.pk)

    indexing.request(content)
    indexing.index(content.pk)
    embed_all()

    assert everything(content.pk) == before
    assert state_of(file).state == State.READY
    assert len(meaning.texts) == asked, "identical text is embedded once"


def test_it_stays_searchable_while_it_waits_to_be_read_again(ada):
    file = read(ada, RULES)

    indexing.request(file.content)

    assert state_of(file).state == State.UPLOADED
    assert len(search([file.pk], "refund")) == 1


def test_only_one_worker_reads_it(ada):
    file = given(ada, RULES)

    first = indexing.claim(file.content_id, timezone.now())

    assert first is not None
    assert indexing.claim(file.content_id, timezone.now()) is None


def test_an_attempt_that_was_given_up_writes_nothing(ada):
    file = given(ada, RULES)
    stalled = indexing.claim(file.content_id, timezone.now())
    Content.objects.filter(pk=file.content_id).update(heartbeat_at=timezone.now() - timedelta(minutes=1))
    indexing.recover(timezone.now())
    indexing.index(file.content_id)
    before = everything(file.content_id)

    with pytest.raises(indexing.Superseded):
        indexing._read(stalled)
    indexing._fail(stalled, "broken", "late")

    assert everything(file.content_id) == before
    assert state_of(file).state == State.WORDS


@pytest.mark.parametrize(
    "place", ["extraction.extract", "lexical.analyse", "lexical.write", "_keep_passages", "chunking.chunks"]
)
def test_a_worker_that_dies_at_any_place_leaves_nothing_half_done(ada, place):
    """Its last words are an exception that nobody catches, as a kill is."""
    file = given(ada, RULES)
    with mock.patch(f"gptbuilder.knowledge.indexing.{place}", side_effect=Killed), pytest.raises(Killed):
        indexing.index(file.content_id)

    assert everything(file.content_id) == [[], []]
    assert state_of(file).state == State.READING

    done = indexing.recover(timezone.now() + indexing.SILENT + timedelta(seconds=1))
    indexing.index(file.content_id)

    assert done["requeued"] == 1
    assert state_of(file).state == State.WORDS
    assert len(search([file.pk], "refund")) == 1


class Killed(BaseException):
    pass


def test_a_file_that_kills_its_reader_again_and_again_is_given_up(ada):
    file = given(ada, RULES)
    for _ in range(indexing.TRIES_MOST):
        assert indexing.claim(file.content_id, timezone.now())
        done = indexing.recover(timezone.now() + indexing.SILENT + timedelta(seconds=1))

    assert done["failed"] == 1
    assert (state_of(file).state, state_of(file).outcome) == (State.FAILED, "lost")


def test_an_upload_that_no_worker_took_is_sent_again_but_not_over_and_over(ada):
    given(ada, RULES)
    later = timezone.now() + indexing.UNCLAIMED + timedelta(seconds=1)

    assert indexing.recover(later)["resent"] == 1
    assert indexing.recover(later)["resent"] == 0


def test_what_cannot_be_read_fails_with_its_reason_and_loses_what_was_found_before(ada):
    file = read(ada, RULES)
    default_storage.delete(file.content.file.name)
    indexing.request(file.content)

    indexing.index(file.content_id)

    assert (state_of(file).state, state_of(file).outcome) == (State.FAILED, "broken")
    assert everything(file.content_id) == [[], []]
    assert len(search([file.pk], "refund")) == 0


def test_an_empty_file_fails_with_its_own_word(ada):
    assert state_of(read(ada, " \n")).outcome == "empty"


def test_an_error_of_ours_fails_the_file_and_is_told(ada, caplog):
    file = given(ada, RULES)
    with mock.patch.object(lexical, "analyse", side_effect=ZeroDivisionError):
        indexing.index(file.content_id)

    assert (state_of(file).state, state_of(file).detail) == (State.FAILED, "ZeroDivisionError")
    assert "could not be indexed" in caplog.text


def test_a_password_is_sealed_for_its_content(ada):
    one, two = given(ada, "one").content, given(ada, "two").content
    one.seal_password("open sesame")
    two.sealed_password = one.sealed_password

    assert one.open_password() == "open sesame"
    assert "sesame" not in one.sealed_password
    with pytest.raises(Exception, match="belongs to another row"):
        two.open_password()


def test_erasing_while_it_is_read_leaves_nothing(ada):
    file = given(ada, RULES)
    claimed = indexing.claim(file.content_id, timezone.now())
    file.content.delete()

    with pytest.raises((indexing.Superseded, FileNotFoundError)):
        indexing._read(claimed)

    assert Passage.objects.count() == Posting.objects.count() == 0
