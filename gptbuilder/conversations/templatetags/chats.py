"""A chat as a line of the sidebar, of which every page has dozens: too many to put each together from templates."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from gptbuilder.conversations.models.thread import Thread
from gptbuilder.web import paths
from gptbuilder.web.templatetags.web import icon

register = template.Library()

ROW = """\
<chat-name data-url="{title_url}"><a data-place href="{url}"{current}><span data-title-of="{id}">{title}</span></a>\
<button class="button quiet round small" type="button" popovertarget="menu-{id}" aria-label="{menu_of}" \
hx-get="{menu_url}" hx-target="#menu-{id}" hx-trigger="pointerenter once, focus once, click once" hx-sync="this:drop">\
{more}</button><section class="menu chat-menu" id="menu-{id}" popover aria-label="{this_chat}"></section></chat-name>"""
CURRENT = mark_safe(' aria-current="page"')


@register.simple_tag
def chat_row(chat: Thread, open_chat: Thread | None = None) -> SafeString:
    """The chat's link, and its menu, which is fetched when somebody comes near."""
    title = chat.title or gettext("Chat")
    return format_html(
        ROW,
        id=chat.pk,
        url=paths.path("conversations:thread", chat.pk),
        title_url=paths.path("conversations:title", chat.pk),
        menu_url=paths.path("conversations:menu", chat.pk),
        title=title,
        current=CURRENT if open_chat and open_chat.pk == chat.pk else "",
        menu_of=gettext("Menu of %(title)s") % {"title": title},
        more=icon("more"),
        this_chat=gettext("This chat"),
    )
