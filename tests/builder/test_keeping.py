"""Duplicating, deleting with undo, the gallery, what stands on empty pages."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from gptbuilder.conversations import turns
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import access, drafts, gallery
from gptbuilder.gpts.models import GPT, Draft
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def gpt(ada) -> GPT:
    return world.shared_trail_planner(ada)


@pytest.fixture
def client(ada, as_person) -> Client:
    return as_person(ada)


def test_a_duplicate_opens_in_its_own_builder(client, ada, gpt):
    response = client.post(f"/gpts/{gpt.pk}/duplicate/")

    copy = GPT.objects.editable_by(ada).exclude(pk=gpt.pk).get()
    assert response["Location"] == f"/gpts/{copy.pk}/edit/"
    page = client.get(response["Location"]).content.decode()
    assert "Trail Planner copy" in page and "What should be different?" in page


def test_from_the_builders_menu_the_whole_page_goes(client, gpt):
    response = client.post(f"/gpts/{gpt.pk}/deletion/", headers={"HX-Request": "true"})

    assert response["HX-Redirect"] == "/gpts/"


def test_a_deleted_gpt_leaves_the_list_and_can_be_brought_back(client, gpt):
    page = client.post(f"/gpts/{gpt.pk}/deletion/", follow=True).content.decode()
    assert "Trail Planner is deleted." in page
    assert page.count(f'action="/gpts/{gpt.pk}/recovery/"') == 2, "in the toast and among the recently deleted"
    assert f'href="/gpts/{gpt.pk}/edit/"' not in page
    assert Client().get(f"/g/{gpt.link_token}/").status_code == 404

    page = client.post(f"/gpts/{gpt.pk}/recovery/", follow=True).content.decode()

    assert "Trail Planner is back." in page
    assert f'href="/gpts/{gpt.pk}/edit/"' in page
    assert Client().get(f"/g/{gpt.link_token}/").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "edit/"),
        ("get", "edit/configure/"),
        ("post", "draft/"),
        ("post", "edit/messages/"),
        ("post", "publication/"),
        ("get", "versions/"),
        ("post", "duplicate/"),
        ("post", "deletion/"),
        ("get", "chat/"),
        ("post", "chats/"),
    ],
)
def test_nothing_of_a_deleted_gpt_answers_to_its_owner(client, gpt, method, path):
    client.post(f"/gpts/{gpt.pk}/deletion/")

    assert getattr(client, method)(f"/gpts/{gpt.pk}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["duplicate/", "deletion/", "recovery/"])
def test_cleo_can_neither_copy_nor_delete_nor_bring_back(client, cleo, as_person, gpt, path):
    access.remember_visit(gpt, cleo)
    stranger = as_person(cleo)
    if path == "recovery/":
        client.post(f"/gpts/{gpt.pk}/deletion/")

    assert stranger.post(f"/gpts/{gpt.pk}/{path}").status_code == 404
    assert GPT.objects.filter(owner=cleo).count() == 0


def test_what_is_not_deleted_cannot_be_brought_back(client, gpt):
    assert client.post(f"/gpts/{gpt.pk}/recovery/").status_code == 404


def test_a_chat_with_a_deleted_gpt_can_be_read_but_has_no_composer(ben, as_person, client, gpt):
    access.remember_visit(gpt, ben)
    thread = turns.start_thread(ben, gpt)
    turns.cancel(turns.start_turn(thread, ben, "Where to?", timezone.now()))
    client.post(f"/gpts/{gpt.pk}/deletion/")

    page = as_person(ben).get(f"/c/{Thread.objects.of(ben).get().pk}/").content.decode()

    assert "Where to?" in page and "does not exist any more" in page
    assert "<composer-box" not in page


def test_my_gpts_leads_to_the_examples_when_it_is_empty(client):
    page = client.get("/gpts/").content.decode()

    assert "Look at examples" in page


def test_the_gallery_is_shown_in_the_language_of_the_page_and_in_the_other(client):
    english = client.get("/gpts/examples/").content.decode()
    chinese = client.get("/gpts/examples/?language=zh-hans").content.decode()
    unknown = client.get("/gpts/examples/?language=../secret").content.decode()

    assert english.count('class="card"') == chinese.count('class="card"') == unknown.count('class="card"') == 12
    assert "Family Hike Planner" in english and "Family Hike Planner" in unknown
    assert "陪爸妈学手机" in chinese


def test_an_example_can_be_read_and_made_ones_own(client, ada):
    example = gallery.examples("en")[0]

    page = client.get(f"/gpts/examples/{example.slug}/").content.decode()
    response = client.post(f"/gpts/examples/{example.slug}/adoption/", follow=True)

    draft = Draft.objects.get(gpt__owner=ada)
    assert "<strong>Before the first suggestion</strong>" in page
    assert draft.instructions == example.instructions.strip()
    assert "What should be different?" in response.content.decode()


def test_the_gallery_is_for_who_is_signed_in_and_knows_no_other_address(client):
    for address in ("/gpts/examples/", "/gpts/examples/family-hikes/"):
        assert Client().get(address).status_code == 302
    assert Client().post("/gpts/examples/family-hikes/adoption/").status_code == 302
    assert client.get("/gpts/examples/nothing/").status_code == 404
    assert client.get("/gpts/examples/family-hikes/adoption/").status_code == 405
    assert not Draft.objects.exists()


def test_a_history_without_versions_says_what_to_do(client, ada):
    page = client.get(f"/gpts/{drafts.create(ada).pk}/versions/").content.decode()

    assert "Each time you publish, a version is kept here." in page
    assert 'data-opens="publish"' in page


def test_a_draft_without_a_name_and_a_sidebar_without_chats_say_the_next_step(client):
    builder = client.post("/gpts/new/", follow=True).content.decode()
    client.post(f"/gpts/{GPT.objects.get(draft__name='', builtin=None).pk}/deletion/")

    chat = client.get("/c/").content.decode()

    assert "Give it a name" in builder and "/edit/configure/#name" in builder
    assert "begin from an example" in builder
    assert "Your GPTs and chats will stand here." in chat
