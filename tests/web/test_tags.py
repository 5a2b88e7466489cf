"""Tags and filters of every template."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import translation

from gptbuilder.lib.ids import new_id
from gptbuilder.web.templatetags import web

NOW = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=1, hours=2), "a day ago"),
        (timedelta(days=4), "4 days ago"),
        (timedelta(days=30), "Feb. 5, 2026"),
    ],
)
def test_how_long_ago(passed, words):
    assert web.ago(NOW - passed, NOW) == words


def test_an_icon_is_decoration_from_the_sprite():
    html = Template('{% icon "search" "small" %}').render(Context())

    assert html == '<svg class="icon small" aria-hidden="true"><use href="/static/img/icons.svg#icon-search"/></svg>'


def test_an_avatar_shows_initials():
    class Person:
        initials = "<A"

    html = Template('{% avatar person "medium" %}').render(Context({"person": Person()}))

    assert html == '<span class="avatar medium" aria-hidden="true">&lt;A</span>'


@pytest.mark.parametrize(
    ("source", "english", "chinese"),
    [
        ('{% translate "Send" %}', "Send", "发送"),
        ('{% translate "Send" as word %}[{{ word }}]', "[Send]", "[发送]"),
        ('{% translate "Send" noop %}', "Send", "Send"),
        ("{% translate word %}", "Send", "发送"),
        ('{% translate "100% of <b>these</b>" %}', "100% of <b>these</b>", "100% of <b>these</b>"),
    ],
)
def test_words_are_in_the_language_of_the_page(source, english, chinese):
    def rendered(language: str) -> str:
        with translation.override(language):
            return Template(source).render(Context({"word": "Send"}))

    assert [rendered("en"), rendered("zh-hans"), rendered("en")] == [english, chinese, english]


def test_addresses_of_ids_are_those_django_gives():
    ids = {"run": new_id("run"), "thread": new_id("thread")}
    source = (
        '{% url "conversations:events" run %} {% url "conversations:thread" thread_id=thread %} '
        '{% url "conversations:new" %} {% url "conversations:thread" thread as here %}{{ here }}'
    )

    assert Template(source).render(Context(ids)) == (
        f"/runs/{ids['run']}/events /c/{ids['thread']}/ /c/ /c/{ids['thread']}/"
    )
