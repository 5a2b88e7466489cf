"""The builder's page: my GPTs, both conversations, publishing, sharing, history."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from gptbuilder.conversations import turns
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import drafts, versions
from gptbuilder.gpts.models import GPT
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def gpt(ada) -> GPT:
    return world.trail_planner(ada)


@pytest.fixture
def client(ada, as_person) -> Client:
    return as_person(ada)


def test_my_gpts_offers_one_thing_while_there_are_none(client):
    page = client.get("/gpts/").content.decode()

    assert "Make your first GPT" in page


def test_my_gpts_lists_only_mine(client, gpt, ben):
    drafts.apply(world.trail_planner(ben).pk, {"name": "Bens"})

    page = client.get("/gpts/").content.decode()

    assert "Trail Planner" in page
    assert "Bens" not in page


def test_a_new_gpt_opens_on_the_create_tab_and_greets(client):
    page = client.post("/gpts/new/", follow=True).content.decode()

    assert "What would you like to make?" in page
    assert page.count("data-fill=") == 3


def test_a_stranger_is_sent_to_sign_in(gpt):
    for address in ("/gpts/", f"/gpts/{gpt.pk}/edit/", f"/gpts/{gpt.pk}/edit/configure/"):
        assert Client().get(address).status_code == 302


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "edit/"),
        ("get", "edit/configure/"),
        ("get", "edit/conversation/"),
        ("post", "edit/messages/"),
        ("get", "draft/"),
        ("post", "draft/"),
        ("post", "picture/"),
        ("delete", "picture/"),
        ("get", "preview/"),
        ("get", "preview/conversation/"),
        ("post", "preview/messages/"),
        ("post", "preview/reset/"),
        ("post", "publication/"),
        ("post", "audience/"),
        ("delete", "link/"),
        ("get", "versions/"),
    ],
)
def test_cleo_finds_nothing_at_any_address_of_adas_gpt(cleo, as_person, gpt, method, path):
    assert getattr(as_person(cleo), method)(f"/gpts/{gpt.pk}/{path}").status_code == 404


def test_the_first_words_to_the_builder_make_its_conversation(client, ada, gpt):
    response = client.post(f"/gpts/{gpt.pk}/edit/messages/", {"text": "A guide for hikes"})

    thread = Thread.objects.of(ada).get()
    assert (thread.purpose, thread.subject) == ("builder", gpt)
    assert response["HX-Retarget"] == "#pane-builder"
    assert b"<run-stream" in response.content


def test_a_second_message_while_the_builder_writes_waits_for_its_turn(client, ada, gpt):
    client.post(f"/gpts/{gpt.pk}/edit/messages/", {"text": "A guide for hikes"})

    response = client.post(f"/gpts/{gpt.pk}/edit/messages/", {"text": "More"})

    assert response.status_code == 200
    assert [waiting.text for waiting in Thread.objects.of(ada).get().queued.all()] == ["More"]


def test_the_fields_a_turn_changed_are_named_under_its_answer(client, ada, gpt):
    client.post(f"/gpts/{gpt.pk}/edit/messages/", {"text": "Never over 8 km"})
    thread = Thread.objects.of(ada).get()
    run = turns.latest_run(thread)
    changes = [{"field": "instructions", "before": "Any length.", "after": "At most 8 km."}]
    RunStep.objects.create(
        run=run,
        position=1,
        kind="tool_calls",
        tool="update_behavior",
        attempt=1,
        data={"changes": changes},
        started_at=timezone.now(),
    )
    Run.objects.filter(pk=run.pk).update(status="completed")
    thread.head = Message.objects.create(
        thread=thread, parent=run.question, role="assistant", text="Done.", html="<p>Done.</p>", run=run
    )
    thread.save()

    page = client.get(f"/gpts/{gpt.pk}/edit/").content.decode()

    assert '<details class="changes">' in page
    assert 'data-sign="−" dir="auto">Any length.</del>' in page
    assert 'data-sign="+" dir="auto">At most 8 km.</ins>' in page


def test_the_preview_runs_the_draft_and_can_begin_anew(client, ada, gpt):
    response = client.post(f"/gpts/{gpt.pk}/preview/messages/", {"text": "Where to?"})
    run = Run.objects.get()
    fresh = client.post(f"/gpts/{gpt.pk}/preview/reset/")

    assert response["HX-Retarget"] == "#pane-preview"
    assert run.version.digest_sha256 == gpt.draft.digest()
    assert b'class="stage"' in fresh.content
    assert Thread.objects.of(ada).filter(purpose="preview").count() == 2


def test_preview_and_builder_chats_are_no_pages_of_their_own(client, ada, gpt):
    client.post(f"/gpts/{gpt.pk}/preview/messages/", {"text": "Where to?"})

    assert client.get(f"/c/{Thread.objects.of(ada).get().pk}/").status_code == 404


def test_the_first_publication_says_who_may_use_it_and_shows_the_link(client, gpt):
    response = client.post(f"/gpts/{gpt.pk}/publication/", {"audience": "link"})

    gpt.refresh_from_db()
    assert gpt.live_version.number == 1
    assert f"/g/{gpt.link_token}/" in response.content.decode()
    assert b'id="bar" hx-swap-oob="true"' in response.content


def test_without_a_name_nothing_is_published(client, ada):
    nameless = drafts.create(ada)

    response = client.post(f"/gpts/{nameless.pk}/publication/", {"audience": "link"})

    nameless.refresh_from_db()
    assert response.status_code == 422
    assert b"Give it a name first" in response.content
    assert nameless.live_version is None


def test_an_update_makes_the_next_version_live_and_keeps_the_audience(client, ada):
    gpt = world.shared_trail_planner(ada)
    drafts.apply(gpt.pk, {"description": "Shorter."})

    response = client.post(f"/gpts/{gpt.pk}/publication/")

    gpt.refresh_from_db()
    assert (gpt.live_version.number, gpt.audience) == (2, "link")
    assert "Version 2 is live" in response["HX-Trigger"]


def test_unpublished_changes_are_marked(client, ada):
    gpt = world.shared_trail_planner(ada)
    assert b"Unpublished changes" not in client.get(f"/gpts/{gpt.pk}/edit/").content

    drafts.apply(gpt.pk, {"description": "Shorter."})

    assert b"Unpublished changes" in client.get(f"/gpts/{gpt.pk}/edit/").content


def test_only_me_lets_the_link_rest_and_ending_it_ends_it(client, ada):
    gpt = world.shared_trail_planner(ada)
    address = f"/g/{gpt.link_token}/"

    client.post(f"/gpts/{gpt.pk}/audience/", {"audience": "private"})
    assert Client().get(address).status_code == 404
    client.post(f"/gpts/{gpt.pk}/audience/", {"audience": "link"})
    assert Client().get(address).status_code == 200
    client.delete(f"/gpts/{gpt.pk}/link/")
    assert Client().get(address).status_code == 404


def test_an_audience_nobody_offers_is_refused(client, ada):
    gpt = world.shared_trail_planner(ada)

    assert client.post(f"/gpts/{gpt.pk}/audience/", {"audience": "world"}).status_code == 422


def test_history_names_what_changed_and_restores(client, ada):
    gpt = world.shared_trail_planner(ada)
    first = gpt.live_version
    drafts.apply(gpt.pk, {"description": "Shorter."})
    versions.publish(gpt, by=ada, now=timezone.now())

    menu = client.get(f"/gpts/{gpt.pk}/versions/").content.decode()
    response = client.post(f"/gpts/{gpt.pk}/versions/{first.pk}/restoration/", headers={"HX-Request": "true"})

    gpt.draft.refresh_from_db()
    assert "Changed: description" in menu
    assert gpt.draft.description == "Day hikes a family will finish smiling."
    assert "draft-restored" in response["HX-Trigger"]


def test_a_version_of_another_gpt_cannot_be_restored(client, ada, ben, gpt):
    other = world.shared_trail_planner(ben)

    assert client.post(f"/gpts/{gpt.pk}/versions/{other.live_version_id}/restoration/").status_code == 404


def test_the_split_page_asks_the_database_few_times(client, gpt, django_assert_max_num_queries):
    client.post(f"/gpts/{gpt.pk}/edit/messages/", {"text": "A guide"})
    client.post(f"/gpts/{gpt.pk}/preview/messages/", {"text": "Where to?"})

    with django_assert_max_num_queries(18):
        client.get(f"/gpts/{gpt.pk}/edit/")
