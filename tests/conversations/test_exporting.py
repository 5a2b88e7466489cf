"""A chat as a file."""

from __future__ import annotations

import asyncio
import json

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from gptbuilder.conversations import exporting
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import builtin
from gptbuilder.workspaces.models import Workspace

NOW = timezone.now()


def chat(owner, title: str = "周末 Plans") -> Thread:
    """A question, two answers beside each other (the second is shown), and a further question."""
    gpt = builtin.default_gpt()
    thread = Thread.objects.create(workspace=Workspace.objects.personal(owner), owner=owner, gpt=gpt, title=title)
    question = Message.objects.create(thread=thread, role="user", text="去哪里？")
    for text in ("The first answer.", "The **second** answer."):
        run = Run.objects.create(
            thread=thread, person=owner, version=builtin.live(gpt), question=question, status="completed", model="small"
        )
        answer = Message.objects.create(thread=thread, parent=question, role="assistant", text=text, run=run)
    thread.head = Message.objects.create(thread=thread, parent=answer, role="user", text="Thanks\n# not a title")
    thread.save()
    return thread


@pytest.mark.django_db
def test_markdown_holds_the_shown_branch_as_it_was_written(ada):
    thread = chat(ada)

    text = "".join(exporting.as_markdown(thread, exporting.shown(thread), "You", "Chat"))

    assert text == (
        "# 周末 Plans\n\n## You\n\n去哪里？\n\n## Assistant\n\n"
        "The **second** answer.\n\n## You\n\nThanks\n# not a title\n"
    )


@pytest.mark.django_db
def test_json_holds_the_shown_branch_or_all_of_them(ada):
    thread = chat(ada)
    everything = list(thread.messages.values_list("pk", flat=True))

    shown = json.loads("".join(exporting.as_json(thread, exporting.shown(thread))))
    whole = json.loads("".join(exporting.as_json(thread, everything)))

    assert [message["text"] for message in shown["messages"]] == [
        "去哪里？",
        "The **second** answer.",
        "Thanks\n# not a title",
    ]
    assert shown["title"] == "周末 Plans" and shown["head"] == thread.head_id
    assert shown["messages"][1]["model"] == "small" and shown["messages"][1]["status"] == "completed"
    assert len(whole["messages"]) == 4
    assert {message["parent"] for message in whole["messages"]} <= {None, *everything}


@pytest.mark.django_db
def test_a_chat_without_messages_is_a_file_too(ada):
    thread = Thread.objects.create(workspace=Workspace.objects.personal(ada), owner=ada, gpt=None, title="")

    assert json.loads("".join(exporting.as_json(thread, [])))["messages"] == []
    assert "".join(exporting.as_markdown(thread, [], "You", "Chat")) == "# Chat\n"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("address", "kind"), [("export.md", "text/markdown"), ("export.json", "application/json")])
def test_the_file_is_streamed_under_the_name_of_the_chat(ada, as_person, address, kind):
    thread = chat(ada, "Plans")

    response = as_person(ada).get(f"/c/{thread.pk}/{address}")

    async def read() -> str:
        return b"".join([part async for part in response.streaming_content]).decode()

    assert response["Content-Disposition"] == f'attachment; filename="Plans.{address.rpartition(".")[2]}"'
    assert response["Content-Type"] == f"{kind}; charset=utf-8"
    assert "The **second** answer." in asyncio.run(read())


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Lakes and walks", "Lakes and walks.md"),
        ("周末去哪儿？", "周末去哪儿？.md"),
        ("../../etc/passwd", "etc passwd.md"),
        ('x"; filename="evil.exe', "x ; filename= evil.exe.md"),
        ("a\r\nSet-Cookie: x=1", "a Set-Cookie x=1.md"),
        ("pay\u202egpj.exe", "pay gpj.exe.md"),
        (".htaccess", "htaccess.md"),
        ("CON", "chat.md"),
        ("nul.txt", "chat.md"),
        ("", "chat.md"),
        ("...", "chat.md"),
        ("\x00\x1b[2J", "[2J.md"),
    ],
)
def test_a_hostile_title_makes_a_harmless_file_name(title, name):
    assert exporting.filename(title, "md") == name


@given(st.text(max_size=200))
def test_every_title_makes_a_file_name_without_folders_and_line_breaks(title):
    name = exporting.filename(title, "json")

    assert name.endswith(".json") and 5 < len(name) <= exporting.FILENAME_LETTERS + 5
    assert not set(name) & set('\\/:*?"<>|\r\n\t\x00')
    assert name == name.strip()


@pytest.mark.django_db
def test_no_title_can_add_a_header(ada, as_person):
    thread = chat(ada, 'x"\r\nSet-Cookie: stolen=1\u202e')

    response = as_person(ada).get(f"/c/{thread.pk}/export.md")

    assert "Set-Cookie" not in response.headers
    assert "\n" not in response["Content-Disposition"] and "\u202e" not in response["Content-Disposition"]
    response.close()
