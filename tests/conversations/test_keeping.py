"""Another name, the archive, deleting and bringing back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gptbuilder.conversations import keeping, sidebar, turns
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.turns import TurnRefused
from gptbuilder.gpts import builtin

pytestmark = pytest.mark.django_db
NOW = timezone.now()
IN_SIDEBAR = {"HX-Request": "true", "HX-Target": "lists", "HX-Current-URL": "http://testserver/c/"}
ON_PAGE = {"HX-Request": "true", "HX-Target": "kept", "HX-Current-URL": "http://testserver/c/archived/"}


@pytest.fixture
def chat(ada) -> Thread:
    """Ada asked; the run waits."""
    thread = turns.start_thread(ada, builtin.default_gpt())
    turns.start_turn(thread, ada, "Which walk has a lake?", NOW)
    return Thread.objects.get(pk=thread.pk)


def listed(person) -> list[str]:
    return [thread.pk for group in sidebar.sidebar(person, NOW).groups for thread in group.threads]


def test_a_new_name_is_kept_on_one_line_and_moves_no_chat(ada, as_person, chat):
    response = as_person(ada).post(f"/c/{chat.pk}/title/", {"title": "  Lakes\n和\x00 湖泊  "})

    assert response.content.decode() == "Lakes 和 湖泊"
    renamed = Thread.objects.get(pk=chat.pk)
    assert (renamed.title, renamed.updated_at) == ("Lakes 和 湖泊", chat.updated_at)


@pytest.mark.parametrize("title", ["", "  \n "])
def test_no_name_is_no_name(ada, as_person, chat, title):
    response = as_person(ada).post(f"/c/{chat.pk}/title/", {"title": title})

    assert response.status_code == 422 and response["X-Problem"]
    assert Thread.objects.get(pk=chat.pk).title == chat.title


def test_a_long_name_is_cut(ada, as_person, chat):
    assert len(as_person(ada).post(f"/c/{chat.pk}/title/", {"title": "湖" * 500}).content.decode()) == 120


def test_an_archived_chat_leaves_the_sidebar_and_can_still_be_read(ada, as_person, chat):
    response = as_person(ada).post(f"/c/{chat.pk}/archive/", headers=IN_SIDEBAR)

    assert listed(ada) == []
    assert chat.title not in response.content.decode()
    assert as_person(ada).get(f"/c/{chat.pk}/").status_code == 200
    assert chat.title in as_person(ada).get("/c/archived/").content.decode()
    toast = json.loads(response["HX-Trigger"])["toast"]
    assert toast["undo"] == {"method": "DELETE", "url": f"/c/{chat.pk}/archive/?undo=line", "target": "#lists"}


def test_a_chat_comes_out_of_the_archive(ada, as_person, chat):
    keeping.archive(chat, NOW)

    page = as_person(ada).delete(f"/c/{chat.pk}/archive/", headers=ON_PAGE)

    assert listed(ada) == [chat.pk]
    assert 'id="kept"' in page.content.decode()
    assert "toast" in page["HX-Trigger"]


def test_a_deleted_chat_is_gone_at_once_and_everywhere(ada, as_person, chat):
    run = turns.latest_run(chat)
    client = as_person(ada)

    client.post(f"/c/{chat.pk}/deletion/", headers=IN_SIDEBAR)

    assert listed(ada) == []
    for address in ("", "title/", "menu/", "older/", "share/", "export.md", "export.json", "export-all.json"):
        assert client.get(f"/c/{chat.pk}/{address}").status_code == 404, address
    for address in ("messages/", "regeneration/", "title/", "archive/", "deletion/"):
        assert client.post(f"/c/{chat.pk}/{address}", {"text": "x", "title": "x"}).status_code == 404, address
    assert client.get(f"/runs/{run.pk}/events").status_code == 404
    assert client.get(f"/runs/{run.pk}/answer/").status_code == 404


def test_deleting_stops_a_running_answer(ada, chat):
    keeping.delete(chat, NOW)

    assert turns.latest_run(chat).status == Run.Status.CANCELLED


def test_a_turn_that_comes_after_the_deletion_is_refused(ada, chat):
    before = Thread.objects.select_related("gpt__draft", "workspace").get(pk=chat.pk)
    keeping.delete(chat, NOW)

    with pytest.raises(TurnRefused, match="deleted"):
        turns.start_turn(before, ada, "Still there?", NOW)


def test_undo_brings_back_everything(ada, as_person, chat):
    client = as_person(ada)
    deleted = client.post(f"/c/{chat.pk}/deletion/", headers=IN_SIDEBAR)
    undo = json.loads(deleted["HX-Trigger"])["toast"]["undo"]

    response = client.generic(undo["method"], undo["url"], headers=IN_SIDEBAR)

    assert listed(ada) == [chat.pk]
    assert chat.title in response.content.decode()
    assert "HX-Trigger" not in response and "HX-Redirect" not in response
    assert Message.objects.filter(thread=chat).count() == 1


def test_the_open_chat_makes_room_and_its_undo_opens_it_again(ada, as_person, chat):
    headers = {**IN_SIDEBAR, "HX-Current-URL": f"http://testserver/c/{chat.pk}/"}
    client = as_person(ada)

    events = json.loads(client.post(f"/c/{chat.pk}/deletion/", headers=headers)["HX-Trigger"])
    undone = client.delete(events["toast"]["undo"]["url"], headers=IN_SIDEBAR)

    assert events["chat-gone"] == {"url": "/c/"}
    assert undone["HX-Redirect"] == f"/c/{chat.pk}/"


def test_recently_deleted_chats_are_listed_and_can_be_erased(ada, as_person, chat):
    keeping.delete(chat, NOW)
    client = as_person(ada)

    assert chat.title in client.get("/c/archived/").content.decode()
    assert client.post(f"/c/{chat.pk}/erasure/", headers=ON_PAGE).status_code == 200
    assert not Thread.objects.filter(pk=chat.pk).exists()


def test_only_a_deleted_chat_can_be_erased(ada, as_person, chat):
    assert as_person(ada).post(f"/c/{chat.pk}/erasure/").status_code == 404


def test_chats_are_purged_when_their_time_is_over(ada, chat, settings):
    other = turns.start_thread(ada, builtin.default_gpt())
    kept = turns.start_thread(ada, builtin.default_gpt())
    keeping.delete(chat, NOW - timedelta(days=settings.DELETED_CHAT_DAYS, seconds=1))
    keeping.delete(other, NOW - timedelta(days=settings.DELETED_CHAT_DAYS - 1))

    assert keeping.purge(NOW) == 1
    assert set(Thread.objects.values_list("pk", flat=True)) == {other.pk, kept.pk}
    assert not Message.objects.exists() and not Run.objects.exists()


def test_without_a_script_the_buttons_lead_to_the_page(ada, as_person, chat):
    response = as_person(ada).post(f"/c/{chat.pk}/archive/")

    assert (response.status_code, response["Location"]) == (302, "/c/archived/")


def test_a_stranger_can_do_nothing_to_a_chat(ada, cleo, as_person, chat):
    other = as_person(cleo)

    for address in ("menu/", "title/", "share/", "export.md", "export.json", "export-all.json"):
        assert other.get(f"/c/{chat.pk}/{address}").status_code == 404, address
        assert Client().get(f"/c/{chat.pk}/{address}").status_code in (302, 404), address
    for address in ("title/", "archive/", "deletion/", "erasure/", "share/"):
        assert other.post(f"/c/{chat.pk}/{address}", {"title": "Mine"}).status_code == 404, address
        assert Client().post(f"/c/{chat.pk}/{address}", {"title": "Mine"}).status_code in (302, 404), address
    keeping.delete(chat, NOW)
    for address in ("archive/", "deletion/", "share/"):
        assert other.delete(f"/c/{chat.pk}/{address}").status_code == 404, address
    assert other.post(f"/c/{chat.pk}/erasure/").status_code == 404
    assert chat.title not in other.get("/c/archived/").content.decode()
    assert Thread.objects.get(pk=chat.pk).title == chat.title


def test_a_builders_conversation_cannot_be_put_away(ada, as_person, chat):
    Thread.objects.filter(pk=chat.pk).update(purpose=Thread.Purpose.BUILDER)

    assert as_person(ada).post(f"/c/{chat.pk}/deletion/").status_code == 404
    assert as_person(ada).post(f"/c/{chat.pk}/archive/").status_code == 404


def test_the_page_of_what_is_put_away_asks_as_often_for_many_as_for_one(ada, as_person):
    client = as_person(ada)

    def queries(chats: int) -> int:
        for _ in range(chats):
            keeping.archive(turns.start_thread(ada, builtin.default_gpt()), NOW)
        client.get("/c/archived/")
        with CaptureQueriesContext(connection) as captured:
            client.get("/c/archived/")
        return len(captured)

    assert queries(1) == queries(11)
