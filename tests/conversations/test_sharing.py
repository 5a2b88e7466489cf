"""A conversation behind a link: what a reader sees, and above all what not."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from gptbuilder.conversations import attachments, keeping, sharing, turns
from gptbuilder.conversations.models.attachment import Attachment
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.share import Share
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import builtin
from tests import world
from tests.upstream import png

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def say(thread: Thread, question: str, answer: str, after: Message | None = None) -> Run:
    """One more turn of the thread."""
    parent = after or thread.head
    asked = Message.objects.create(thread=thread, parent=parent, role="user", text=question)
    run = Run.objects.create(
        thread=thread, person=thread.owner, version=builtin.live(thread.gpt), question=asked, status="completed"
    )
    thread.head = Message.objects.create(
        thread=thread, parent=asked, role="assistant", text=answer, html=f"<p>{answer}</p>", run=run
    )
    thread.save()
    return run


@pytest.fixture
def chat(ada) -> Thread:
    thread = turns.start_thread(ada, world.trail_planner(ada))
    thread.title = "Lakes"
    thread.save()
    say(thread, "Which walk has a lake?", "The Oeschinen shore.")
    return thread


@pytest.fixture
def link(ada, as_person, chat) -> str:
    as_person(ada).post(f"/c/{chat.pk}/share/")
    return f"/s/{Share.objects.get().token}/"


def read(link: str) -> str:
    response = Client().get(link)
    assert response.status_code == 200
    return response.content.decode()


def test_anyone_with_the_link_reads_the_chat_without_an_account(link):
    page = read(link)

    assert "Which walk has a lake?" in page
    assert "<p>The Oeschinen shore.</p>" in page
    assert "Trail Planner" in page and "Lakes" in page


def test_what_comes_later_is_not_shown_until_it_is_shared_again(ada, as_person, chat, link):
    say(chat, "My address is Lake Street 5.", "Noted.")
    keeping.rename(chat, "Where I live")

    assert "Lake Street" not in read(link) and "Where I live" not in read(link)
    as_person(ada).post(f"/c/{chat.pk}/share/")
    assert "Lake Street" in read(link) and "Where I live" in read(link)
    assert Share.objects.count() == 1


def test_other_branches_stay_hidden(ada, chat, link):
    first = Message.objects.filter(thread=chat, role="user").get()
    Message.objects.create(thread=chat, parent=first, role="assistant", text="Another", html="<p>Another answer</p>")
    Message.objects.create(thread=chat, role="user", text="An earlier wording")

    page = read(link)

    assert "Another answer" not in page and "earlier wording" not in page


def test_a_reader_sees_no_steps_no_ids_and_nobodys_address(ada, chat, link):
    run = Run.objects.get()
    RunStep.objects.create(
        run=run, position=1, kind="tool_calls", attempt=1, tool="secret_tool", output="hidden", started_at=NOW
    )

    page = read(link)

    for hidden in ("secret_tool", "hidden output", "ada@example.org", "Ada", chat.pk, run.pk, ada.pk, "Ask how old"):
        assert hidden not in page, hidden


def test_the_owners_name_is_shown_only_when_the_owner_says_so(ada, as_person, chat, link):
    assert "shared by" not in read(link)
    as_person(ada).post(f"/c/{chat.pk}/share/", {"names_owner": "1"})
    assert "shared by Ada" in read(link)
    ada.name = ""
    ada.save()
    assert "shared by" not in read(link) and "ada@" not in read(link)


def test_the_page_is_not_for_search_engines_and_not_kept_by_caches(link):
    response = Client().get(link)

    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert '<meta name="robots" content="noindex, nofollow">' in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_an_ended_link_is_dead_and_the_next_one_is_another(ada, as_person, chat, link):
    client = as_person(ada)

    assert client.delete(f"/c/{chat.pk}/share/").status_code == 200
    assert Client().get(link).status_code == 404
    client.post(f"/c/{chat.pk}/share/")
    assert Client().get(link).status_code == 404
    assert not link.endswith(f"{Share.objects.get().token}/")


def test_the_link_of_a_deleted_chat_is_dead_until_it_comes_back(chat, link):
    keeping.delete(chat, NOW)
    assert Client().get(link).status_code == 404
    keeping.restore(chat)
    assert Client().get(link).status_code == 200


def test_the_link_of_a_blocked_account_is_dead(ada, link):
    ada.is_active = False
    ada.save()

    assert Client().get(link).status_code == 404


def test_a_link_opens_nothing_but_its_page(cleo, as_person, chat, link):
    other = as_person(cleo)
    run = Run.objects.get()

    assert other.get(link).status_code == 200
    for address in (f"/c/{chat.pk}/", f"/c/{chat.pk}/export.json", f"/runs/{run.pk}/answer/", f"/runs/{run.pk}/events"):
        assert other.get(address).status_code == 404, address
    assert other.delete(f"/c/{chat.pk}/share/").status_code == 404


def test_a_guess_leads_nowhere():
    assert Client().get("/s/AAAAAAAAAAAAAAAAAAAAAA/").status_code == 404


def test_a_picture_of_a_private_gpt_is_served_behind_the_link_only(ada, as_person):
    from PIL import Image

    from gptbuilder.gpts import pictures

    gpt = world.trail_planner(ada)
    buffer = BytesIO()
    Image.new("RGB", (64, 64), "green").save(buffer, "PNG")
    buffer.seek(0)
    gpt.draft.picture = pictures.receive(gpt, buffer)
    gpt.draft.save()
    thread = turns.start_thread(ada, gpt)
    say(thread, "Hello", "Hi")
    share = sharing.publish(thread, names_owner=False)

    assert f"/s/{share.token}/picture/" in read(f"/s/{share.token}/")
    assert Client().get(f"/s/{share.token}/picture/")["Content-Type"] == "image/webp"
    assert Client().get(f"/gpts/{gpt.pk}/pictures/{gpt.draft.picture_id}/").status_code == 404
    share.delete()
    assert Client().get(f"/s/{share.token}/picture/").status_code == 404


def test_the_picture_of_a_drawn_figure_is_no_secret(link):
    assert Client().get(f"{link}picture/").status_code == 404
    assert "/avatars/" in read(link)


def test_a_member_goes_on_in_a_chat_of_their_own(cleo, as_person, chat, link):
    response = as_person(cleo).post(f"{link}continuation/")

    own = Thread.objects.of(cleo).get()
    assert response["Location"] == f"/c/{own.pk}/"
    assert [message.text for message in own.path()] == ["Which walk has a lake?", "The Oeschinen shore."]
    # The GPT is Ada's alone: Cleo goes on with the one everybody has.
    assert own.gpt == builtin.default_gpt()
    assert "The Oeschinen shore." in as_person(cleo).get(f"/c/{own.pk}/").content.decode()
    assert Thread.objects.get(pk=chat.pk).head_id == chat.head_id


def test_the_owner_goes_on_with_the_same_gpt(ada, as_person, chat, link):
    as_person(ada).post(f"{link}continuation/")

    assert Thread.objects.of(ada).exclude(pk=chat.pk).get().gpt_id == chat.gpt_id


def test_a_stranger_signs_in_first(link):
    response = Client().post(f"{link}continuation/")

    assert response.status_code == 302 and "login" in response["Location"]
    assert Thread.objects.count() == 1


def test_reading_takes_few_queries(chat, link, django_assert_max_num_queries):
    for number in range(8):
        say(chat, f"Question {number}", f"Answer {number}")
    sharing.publish(chat, names_owner=False)

    with django_assert_max_num_queries(5):
        read(link)


def give_image(message: Message, size: int) -> Attachment:
    """An image of this many pixels, which its bytes tell apart."""
    image = attachments.receive(message.thread.owner, BytesIO(png(size)), NOW)
    Attachment.objects.filter(pk=image.pk).update(message=message)
    return Attachment.objects.get(pk=image.pk)


def bytes_of(address: str) -> bytes:
    response = Client().get(address)
    assert response.status_code == 200 and response["Content-Type"] == "image/jpeg"
    return response.content


def test_a_reader_sees_the_images_in_their_order_and_learns_no_name_of_theirs(chat):
    first = Message.objects.get(thread=chat, role="user")
    say(chat, "And here?", "A cave.")
    second = Message.objects.get(thread=chat, text="And here?")
    given = [give_image(second, 12), give_image(first, 8), give_image(first, 10)]
    link = f"/s/{sharing.publish(chat, names_owner=False).token}/"

    page = read(link)

    assert [page.count(f'src="{link}images/{number}/"') for number in (1, 2, 3, 4)] == [1, 1, 1, 0]
    shown = [bytes_of(f"{link}images/{number}/") for number in (1, 2, 3)]
    assert shown == [Path(image.file.path).read_bytes() for image in (given[1], given[2], given[0])]
    assert not any(image.pk in page for image in given)


def test_images_of_what_is_not_shown_have_no_address(ada, as_person, chat, link):
    first = Message.objects.get(thread=chat, role="user")
    give_image(Message.objects.create(thread=chat, role="user", text="An earlier wording"), 8)
    say(chat, "My house", "Noted.")
    give_image(Message.objects.get(text="My house"), 8)

    assert "images/" not in read(link)
    assert [Client().get(f"{link}images/{number}/").status_code for number in (0, 1, 2)] == [404, 404, 404]
    give_image(first, 8)
    assert [Client().get(f"{link}images/{number}/").status_code for number in (0, 1, 2)] == [404, 200, 404]


def test_an_image_ends_with_the_link_and_no_cache_keeps_it(chat, link):
    give_image(Message.objects.get(thread=chat, role="user"), 8)

    response = Client().get(f"{link}images/1/")
    Share.objects.all().delete()

    assert "no-store" in response["Cache-Control"] and response["X-Robots-Tag"] == "noindex"
    assert Client().get(f"{link}images/1/").status_code == 404


def test_who_goes_on_with_a_chat_keeps_its_images(ada, cleo, as_person, chat, link):
    image = give_image(Message.objects.get(thread=chat, role="user"), 8)

    as_person(cleo).post(f"{link}continuation/")
    copy = Attachment.objects.get(person=cleo)
    chat.delete()
    attachments.purge(NOW)

    assert copy.pk != image.pk
    assert copy.message.thread.owner == cleo and copy.workspace == copy.message.thread.workspace
    assert as_person(cleo).get(f"/attachments/{copy.pk}.jpg").status_code == 200
