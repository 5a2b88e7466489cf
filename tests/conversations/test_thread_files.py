"""Files in a chat: given with a message, searched in that conversation, gone with it."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
import redis
from django.conf import settings as site_settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gptbuilder.accounts.models import User
from gptbuilder.conversations import (
    execution,
    exporting,
    guests,
    keeping,
    queueing,
    recorder,
    sharing,
    stream,
    thread_files,
    turns,
)
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.models.thread_file import ThreadFile
from gptbuilder.gpts import access, builtin
from gptbuilder.knowledge import holding
from gptbuilder.knowledge.models import Content, KnowledgeFile
from gptbuilder.knowledge.uploads import UploadRefused
from gptbuilder.usage.limits import LimitReached
from tests import world
from tests.tools.library_of import file_of
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = ["The notice period is six weeks.", "A refund is paid within fourteen days."]


def uploaded(person: User, name: str = "notes.txt", text: str = "A refund is paid.") -> ThreadFile:
    return thread_files.receive(person, SimpleUploadedFile(name, text.encode()), timezone.now())


def attached(person: User, name: str = "mine.pdf", pages=PAGES) -> ThreadFile:
    """One that was read."""
    return ThreadFile.objects.create(person=person, file=file_of(person, name, pages))


def chat(person: User, *files: ThreadFile, text: str = "When is a refund paid?") -> Run:
    ids = [file.pk for file in files]
    return turns.begin(person, builtin.default_gpt(), text, timezone.now(), files=ids)


def bytes_kept() -> set[str]:
    try:
        return set(default_storage.listdir("knowledge")[1])
    except FileNotFoundError:
        return set()


# --- Uploading -----------------------------------------------------------------------------------


def test_a_file_is_received_and_waits_to_be_read(as_person, ada):
    response = as_person(ada).post(reverse("conversations:files"), {"file": SimpleUploadedFile("notes.txt", b"Hello")})

    file = ThreadFile.objects.get(person=ada)
    assert response.status_code == 201
    assert (file.name, file.is_sent, file.file.content.state) == ("notes.txt", False, "uploaded")
    page = response.content.decode()
    assert f'name="file" value="{file.pk}"' in page and "data-looks=" in page


def test_a_line_says_how_far_the_file_is(as_person, ada):
    file = attached(ada)
    url = reverse("conversations:file", args=[file.pk])
    ready = as_person(ada).get(url).content.decode()
    Content.objects.update(state="failed", outcome="needs_password")
    failed = as_person(ada).get(url).content.decode()

    assert "Searchable" in ready and "data-looks" not in ready
    assert "needs a password" in failed


def test_an_upload_in_pieces_becomes_a_file(as_person, ada):
    client = as_person(ada)
    announced = client.post(
        reverse("knowledge:uploads"), json.dumps({"name": "notes.txt", "size": 5}), content_type="application/json"
    ).json()
    early = client.post(reverse("conversations:files"), {"upload": announced["id"]})
    client.patch(announced["url"], b"Hello", content_type="application/octet-stream", headers={"Upload-Offset": "0"})

    response = client.post(reverse("conversations:files"), {"upload": announced["id"]})

    assert (early.status_code, response.status_code) == (409, 201)
    assert ThreadFile.objects.get(person=ada).name == "notes.txt"


def test_nobody_takes_the_upload_of_another(as_person, ada, cleo):
    announced = (
        as_person(ada)
        .post(reverse("knowledge:uploads"), json.dumps({"name": "a.txt", "size": 5}), content_type="application/json")
        .json()
    )

    assert as_person(cleo).post(reverse("conversations:files"), {"upload": announced["id"]}).status_code == 404


def test_files_have_a_largest_size_and_a_number_per_hour(ada, settings):
    settings.CHAT_FILE_MAX_BYTES, settings.CHAT_FILES_PER_HOUR = 10, 2
    with pytest.raises(UploadRefused):
        uploaded(ada, text="much too long")
    uploaded(ada, text="short")

    with pytest.raises(LimitReached):
        uploaded(ada, text="short")


def test_guests_have_limits_of_their_own(db, settings):
    guest = User.objects.create_user(None, kind=User.Kind.GUEST)
    settings.GUEST_FILE_MAX_BYTES = 3
    with pytest.raises(UploadRefused):
        uploaded(guest)
    settings.GUEST_FILES_PER_HOUR = 0

    with pytest.raises(UploadRefused, match="Sign in"):
        uploaded(guest)
    assert not thread_files.may_attach(guest)


def test_a_file_that_was_not_sent_is_taken_out_and_erased(as_person, ada):
    file = uploaded(ada)
    assert bytes_kept()

    response = as_person(ada).delete(reverse("conversations:file", args=[file.pk]))

    assert response.status_code == 204
    assert not KnowledgeFile.objects.exists() and not Content.objects.exists() and not bytes_kept()


# --- In a conversation ---------------------------------------------------------------------------


def test_a_file_is_searched_in_its_conversation_from_then_on_and_in_no_other(ada, upstream):
    run = chat(ada, attached(ada), text="Keep this.")
    execution.execute(run.pk)
    thread = Thread.objects.get()
    second = turns.start_turn(thread, ada, "When is a refund paid?", timezone.now())

    execution.execute(second.pk)
    execution.execute(chat(ada).pk)

    told = [json.dumps(request["messages"]) for request in upstream.requests]
    assert "[attached: mine.pdf]" in told[0] and "fourteen days" in told[0]
    assert "fourteen days" in told[1]
    assert "fourteen days" not in told[2] and "mine.pdf" not in told[2]


def test_a_branch_without_the_message_has_not_its_file(ada, upstream):
    run = chat(ada, attached(ada))
    execution.execute(run.pk)
    plain = turns.start_turn(Thread.objects.get(), ada, "More", timezone.now(), files=[attached(ada, "late.pdf").pk])
    execution.execute(plain.pk)
    thread = Thread.objects.get()
    turns.show_branch(thread, run.question_id)
    other = turns.edit(plain.question, ada, "More, please", timezone.now())
    ThreadFile.objects.filter(message=other.question_id).delete()

    execution.execute(other.pk)

    told = json.dumps(upstream.requests[-1]["messages"])
    assert "mine.pdf" in told and "late.pdf" not in told


def test_other_words_for_a_message_keep_its_files(ada):
    run = chat(ada, attached(ada))
    turns.cancel(run)

    again = turns.edit(run.question, ada, "In other words", timezone.now())

    assert [file.name for file in again.question.files.all()] == ["mine.pdf"]
    assert KnowledgeFile.objects.count() == 1


def test_a_message_that_waits_takes_its_files_along(ada, upstream):
    run = chat(ada)
    queueing.say(run.thread, ada, "", timezone.now(), files=[attached(ada).pk])

    execution.execute(run.pk)

    waiting = Run.objects.exclude(pk=run.pk).get()
    assert [file.name for file in waiting.question.files.all()] == ["mine.pdf"]


def test_a_file_is_sent_once_and_by_its_person(ada, cleo):
    file = attached(ada)
    with pytest.raises(turns.TurnRefused):
        chat(cleo, file)
    chat(ada, file)

    with pytest.raises(turns.TurnRefused):
        chat(ada, file)
    assert not Thread.objects.filter(owner=cleo).exists()


def test_a_run_knows_whether_its_chat_has_files(ada):
    without, with_file = chat(ada), chat(ada, attached(ada))

    assert [recorder.claim(run.pk).has_files for run in (without, with_file)] == [False, True]


def test_a_run_waits_for_a_file_that_is_being_read_and_says_so(ada, upstream, settings):
    file = attached(ada)
    Content.objects.update(state="reading", passage_count=0)
    run = chat(ada, file)
    worker = threading.Thread(target=execution.execute, args=[run.pk])
    worker.start()
    until(lambda: any("Reading" in line for line in events(run)))
    assert not upstream.requests

    Content.objects.update(state="words", passage_count=2)
    worker.join(20)

    assert "fourteen days" in json.dumps(upstream.requests[0]["messages"])
    assert '"values":{"name":"mine.pdf"}' in "".join(events(run))


def test_a_run_does_not_wait_for_ever(ada, upstream, monkeypatch):
    monkeypatch.setattr(execution, "FILES_SECONDS", 0.1)
    file = attached(ada)
    Content.objects.update(state="reading", passage_count=0)
    run = chat(ada, file)

    execution.execute(run.pk)

    run.refresh_from_db()
    assert run.status == "completed"
    assert "mine.pdf: it is still being read" in upstream.requests[0]["messages"][0]["content"]


def test_the_page_shows_the_files_of_a_message(ada, as_person, upstream):
    run = chat(ada, attached(ada))
    execution.execute(run.pk)

    assert "mine.pdf" in as_person(ada).get(reverse("conversations:thread", args=[run.thread_id])).content.decode()


def test_the_first_message_of_a_chat_and_of_a_preview_takes_files(ada, as_person):
    gpt = world.trail_planner(ada)
    client = as_person(ada)

    chat_page = client.post(
        reverse("conversations:start", args=[builtin.default_gpt().pk]), {"text": "Look", "file": attached(ada).pk}
    ).content.decode()
    preview_page = client.post(
        reverse("builder:preview_messages", args=[gpt.pk]), {"text": "Look", "file": attached(ada, "other.pdf").pk}
    ).content.decode()

    assert "mine.pdf" in chat_page and "other.pdf" in preview_page
    assert ThreadFile.objects.filter(is_sent=True).count() == 2


# --- Leaving -------------------------------------------------------------------------------------


def test_a_deleted_chat_takes_its_files_along(ada, settings):
    run = chat(ada, attached(ada))
    keeping.delete(run.thread, timezone.now())
    keeping.purge(timezone.now() + timedelta(days=1))
    assert KnowledgeFile.objects.exists() and bytes_kept()

    keeping.purge(timezone.now() + timedelta(days=settings.DELETED_CHAT_DAYS + 1))

    assert not KnowledgeFile.objects.exists() and not Content.objects.exists() and not bytes_kept()
    assert not ThreadFile.objects.exists()


def test_a_chat_that_is_erased_at_once_takes_its_files_along(ada, as_person):
    run = chat(ada, attached(ada))
    keeping.delete(run.thread, timezone.now())

    as_person(ada).post(reverse("conversations:erasure", args=[run.thread_id]))

    assert not Content.objects.exists() and not bytes_kept()


def test_files_that_were_never_sent_are_erased_after_a_day(ada):
    attached(ada)
    ThreadFile.objects.update(created_at=timezone.now() - timedelta(days=2))
    fresh = attached(ada, "fresh.pdf")

    assert thread_files.purge(timezone.now()) == 1
    assert ThreadFile.objects.get() == fresh


def test_files_of_a_conversation_are_held(ada):
    chat(ada, attached(ada))
    KnowledgeFile.objects.update(created_at=timezone.now() - timedelta(days=30))

    holding.let_go(timezone.now())
    holding.let_go(timezone.now() + timedelta(days=30))

    assert KnowledgeFile.objects.kept().count() == 1


def test_a_guest_who_signs_in_keeps_their_files(ada, upstream):
    guest = User.objects.create_user(None, kind=User.Kind.GUEST)
    gpt = world.shared_trail_planner(ada)
    access.remember_visit(gpt, guest)
    file_of(ada, "mine.pdf", PAGES)
    same, other = attached(guest), attached(guest, "other.pdf", ["Only the guest has this."])
    turns.begin(guest, gpt, "Here", timezone.now(), files=[same.pk, other.pk])

    guests.merge(guest.pk, ada)

    assert not User.objects.filter(pk=guest.pk).exists()
    assert {file.person for file in ThreadFile.objects.all()} == {ada}
    assert {file.workspace.personal_of for file in KnowledgeFile.objects.all()} == {ada}
    assert {content.workspace.personal_of for content in Content.objects.all()} == {ada}
    assert Content.objects.count() == 2 and KnowledgeFile.objects.kept().count() == 3
    assert len(bytes_kept()) == 2


def test_the_files_of_a_guest_who_does_not_come_back_are_erased(ada, settings):
    guest = User.objects.create_user(None, kind=User.Kind.GUEST)
    attached(guest)
    User.objects.filter(pk=guest.pk).update(last_seen_at=timezone.now() - timedelta(days=settings.GUEST_DAYS + 1))

    guests.purge(timezone.now())

    assert not KnowledgeFile.objects.exists() and not bytes_kept()


def test_a_shared_chat_shows_the_name_of_a_file_and_nothing_else(ada, upstream):
    run = chat(ada, attached(ada))
    execution.execute(run.pk)
    thread = Thread.objects.get()
    token = sharing.publish(thread, names_owner=False).token

    page = Client().get(reverse("conversations:shared", args=[token])).content.decode()

    assert "mine.pdf" in page
    assert "fourteen" not in page and ThreadFile.objects.get().pk not in page


def test_an_exported_chat_names_its_files(ada):
    run = chat(ada, attached(ada))
    thread = Thread.objects.get()

    markdown = "".join(exporting.as_markdown(thread, [run.question_id], "Ada", "Chat"))
    told = json.loads("".join(exporting.as_json(thread, [run.question_id])))

    assert "- mine.pdf\n" in markdown
    assert told["messages"][0]["files"] == ["mine.pdf"]


def events(run: Run) -> list[str]:
    with redis.Redis.from_url(site_settings.REDIS_URL, decode_responses=True) as client:
        return [fields["event"] for _id, fields in client.xrange(stream.key(run.pk))]
