"""A chat as a line of the sidebar, of which every page has dozens: too many to put each together from templates."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from gptbuilder.conversations.models.thread import Thread
from gptbuilder.web import paths
from gptbuilder.web.templatetags.web import icon

register = template.Library()

ROW = """\
<chat-name data-url="{title_url}"><a data-place href="{url}"{current}><span data-title-of="{id}">{title}</span></a>\
<button class="button quiet round small" type="button" popovertarget="menu-{id}" aria-label="{menu_of}" \
hx-get="{menu_url}" hx-target="#menu-{id}" hx-trigger="pointerenter once, focus once, click once" hx-sync="this:drop">\
{more}</button><section class="menu chat-menu" id="menu-{id}" popover aria-label="{this_chat}"></section></chat-name>"""


@register.simple_tag
def chat_row(chat: Thread, open_id: str = "") -> SafeString:
    """The chat's link, and its menu, which is fetched when somebody comes near."""
    return _row(chat.pk, chat.title, chat.pk == open_id, get_language())


# Who goes from page to page takes the same lines along.
@lru_cache(4_000)
def _row(chat_id: str, title: str, is_open: bool, language: str | None) -> SafeString:
    title = title or gettext("Chat")
    return format_html(
        ROW,
        id=chat_id,
        url=paths.path("conversations:thread", chat_id),
        title_url=paths.path("conversations:title", chat_id),
        menu_url=paths.path("conversations:menu", chat_id),
        title=title,
        current=SafeString(' aria-current="page"' if is_open else ""),
        menu_of=gettext("Menu of %(title)s") % {"title": title},
        more=icon("more"),
        this_chat=gettext("This chat"),
    )
