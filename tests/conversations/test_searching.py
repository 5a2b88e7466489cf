"""Finding a chat again by what was said in it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from gptbuilder.accounts.models import User
from gptbuilder.conversations import keeping, searching
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.searching import Piece
from gptbuilder.gpts import builtin
from gptbuilder.workspaces.models import Workspace

pytestmark = pytest.mark.django_db


def chat(owner: User, title: str, *said: str) -> Thread:
    """A chat of these utterances, the person's first."""
    thread = Thread.objects.create(
        workspace=Workspace.objects.personal(owner), owner=owner, gpt=builtin.default_gpt(), title=title
    )
    for number, text in enumerate(said):
        role = Message.Role.ASSISTANT if number % 2 else Message.Role.USER
        thread.head = Message.objects.create(thread=thread, parent_id=thread.head_id, role=role, text=text)
    thread.save()
    return thread


def found(person: User, question: str) -> list[str]:
    return [hit.thread.title for hit in searching.search(person, question)]


@pytest.fixture
def chats(ada) -> None:
    chat(ada, "Flat walks", "Where can we push a pram?", "Around the Oeschinen lake. It is **five** kilometres.")
    chat(ada, "周末去哪儿", "下雨天带孩子去哪里走走？", "可以去科技馆，或者沿着江边散步。")
    chat(ada, "Invoice template", "Write an e-mail about invoice No. 2024-117 to café Müller.", "Dear Ms Müller, …")


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("oeschinen", "Flat walks"),
        ("LAKE kilometres", "Flat walks"),
        ("kilom", "Flat walks"),
        ("walks", "Flat walks"),
        ("pram walks", None),
        ("下雨天", "周末去哪儿"),
        ("孩子", "周末去哪儿"),
        ("馆", "周末去哪儿"),
        ("步", "周末去哪儿"),
        ("江边散步 孩子", None),
        ("江边散步", "周末去哪儿"),
        ("周末", "周末去哪儿"),
        ("孩带", None),
        ("2024-117", "Invoice template"),
        ("e-mail", "Invoice template"),
        ("MÜLLER", "Invoice template"),
        ("“café”", "Invoice template"),
        ("elephant", None),
        ("", None),
        ("' | ! & :* <->", None),
        ("\\'); DROP TABLE x;--", None),
    ],
)
def test_a_chat_is_found_by_the_words_of_its_title_or_of_one_message(ada, chats, question, title):
    assert found(ada, question) == ([title] if title else [])


def test_a_message_is_found_as_soon_as_it_is_stored_and_not_by_its_old_words(ada, chats):
    thread = Thread.objects.get(title="Flat walks")
    message = Message.objects.create(thread=thread, parent_id=thread.head_id, role="user", text="And a glacier?")

    assert found(ada, "glacier") == ["Flat walks"]
    Message.objects.filter(pk=message.pk).update(text="And a 冰川?")
    assert found(ada, "glacier") == []
    assert found(ada, "冰川") == ["Flat walks"]


def test_nobody_finds_the_chats_of_somebody_else(ada, ben, cleo, chats):
    chat(ben, "Ben's lake", "A lake for Ben")

    assert found(cleo, "lake") == []
    assert found(ben, "lake") == ["Ben's lake"]


def test_a_stranger_is_asked_to_sign_in(chats):
    assert Client().get("/search/?q=lake").status_code == 302


def test_deleted_chats_previews_and_builder_conversations_are_not_found(ada, chats):
    keeping.delete(Thread.objects.get(title="Flat walks"), timezone.now())
    chat(ada, "preview", "the lake again")
    Thread.objects.filter(title="preview").update(purpose=Thread.Purpose.PREVIEW)

    assert found(ada, "lake") == []


def test_archived_chats_are_found(ada, chats):
    keeping.archive(Thread.objects.get(title="Flat walks"), timezone.now())

    assert found(ada, "lake") == ["Flat walks"]


def test_a_title_comes_before_what_was_said_and_a_chat_comes_once(ada):
    chat(ada, "Other things", "lake", "lake lake", "lake")
    chat(ada, "The lake", "Hello", "Hello")

    assert found(ada, "lake") == ["The lake", "Other things"]


def test_the_number_of_queries_does_not_grow_with_what_is_found(ada, django_assert_num_queries):
    for number in range(12):
        chat(ada, f"Lake {number}", "a lake", "this lake")

    with django_assert_num_queries(5):
        assert len(searching.search(ada, "lake")) == 12


def test_the_page_marks_the_hit_and_leads_to_the_message(ada, as_person, chats):
    page = as_person(ada).get("/search/?q=oeschinen").content.decode()

    message = Message.objects.get(text__contains="Oeschinen")
    assert "<mark>Oeschinen</mark>" in page
    assert f"/c/{message.thread_id}/?message={message.pk}#{message.pk}" in page
    assert 'value="oeschinen"' in page


def test_a_hit_in_another_branch_opens_that_branch(ada, cleo, as_person):
    thread = chat(ada, "Walks", "Where is the Oeschinen lake?")
    hidden = thread.head
    thread.head = Message.objects.create(thread=thread, role="user", text="Where is a cave?")
    thread.save()
    client = as_person(ada)
    (hit,) = searching.search(ada, "oeschinen")

    asked = client.get(hit.url).content.decode()
    client.post(f"/messages/{hidden.pk}/branch/")
    shown = client.get(hit.url).content.decode()

    assert f'data-branch="/messages/{hidden.pk}/branch/"' in asked and "Oeschinen" not in asked
    assert "data-branch=" not in shown and "Oeschinen" in shown
    strange = Message.objects.get(thread=chat(cleo, "Cleo", "Hers"))
    assert "data-branch=" not in client.get(f"/c/{thread.pk}/?message={strange.pk}").content.decode()


def test_what_was_said_is_shown_as_text(ada, as_person):
    chat(ada, "<b>bold</b>", "x <img src=x> lake")

    page = as_person(ada).get("/search/?q=lake").content.decode()

    assert "<img src=x>" not in page and "<b>bold" not in page


def test_htmx_gets_the_results_alone_and_an_empty_question_the_newest_chats(ada, as_person, chats):
    part = as_person(ada).get("/search/?q=", headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in part
    assert part.index("Invoice template") < part.index("Flat walks")


def test_nothing_found_says_so(ada, as_person, chats):
    assert "elephant" in as_person(ada).get("/search/?q=elephant").content.decode()


def test_a_snippet_shows_the_surroundings_of_the_first_hit_without_markdown():
    text = "# Title\n\n" + "word " * 100 + "**the** `lake` [shore](https://example.org) " + "more " * 100

    pieces = searching.snippet(text, ["lake"])
    line = "".join(piece.text for piece in pieces)

    assert "the lake shore more" in line
    assert line.startswith("…") and line.endswith("…") and len(line) <= searching.SNIPPET_LETTERS + 2
    assert [piece for piece in pieces if piece.is_hit] == [Piece("lake", True)]


def test_chinese_is_marked_as_it_was_typed():
    assert searching.marked("下雨天带孩子", searching.words_of("带孩子")) == [
        Piece("下雨天"),
        Piece("带孩子", True),
    ]


@given(st.text(max_size=300))
def test_marking_loses_no_letter(text):
    pieces = searching.marked(text, searching.words_of(text[:20]))

    assert "".join(piece.text for piece in pieces) == text


@pytest.mark.parametrize(
    "text", ["好" * 200_000, "".join(map(chr, range(0x4E00, 0x9FFF))) * 6, "a" * 100_000, "😀" * 9]
)
def test_no_text_is_too_strange_to_be_stored(ada, text):
    thread = chat(ada, "Strange", text)

    assert thread.head_id


@pytest.mark.parametrize("words", ["下雨天", "天", "abc 下雨 def", "カタカナ", "한국어"])
def test_words_are_split_into_neighbouring_pairs_and_the_last_letter(words):
    with connection.cursor() as cursor:
        cursor.execute("SELECT search_words(%s)", [words])
        split = set(cursor.fetchone()[0].split())

    expected: set[str] = set()
    for word in words.split():
        if word.isascii():
            expected.add(word)
        else:
            expected |= {word[at : at + 2] for at in range(len(word) - 1)} | {word[-1]}
    assert split == expected
