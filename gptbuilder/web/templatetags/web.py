"""Tags and filters every template may use without loading them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from django import template
from django.forms import BoundField, CheckboxInput
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from gptbuilder.web import markdown as web_markdown

register = template.Library()

SPRITE = "img/icons.svg"


@register.simple_tag
@cache
def icon(name: str, extra: str = "") -> SafeString:
    """`{% icon "search" %}`, `{% icon "down" "small" %}`: decoration, so the text beside it must say what it means.
    A page has dozens, of few kinds."""
    css = f"icon {extra}".strip()
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#icon-{}"/></svg>', css, static(SPRITE), name)


@register.simple_tag
def mark() -> SafeString:
    """The sign of the product, as large as the text it stands in says."""
    return format_html('<svg aria-hidden="true"><use href="{}#mark"/></svg>', static(SPRITE))


@register.simple_tag
def avatar(person: object, size: str = "") -> SafeString:
    """A person's initials in a grey circle; `size` is tiny, medium, large or huge."""
    initials = getattr(person, "initials", "") or "?"
    return format_html('<span class="{}" aria-hidden="true">{}</span>', f"avatar {size}".strip(), initials)


@register.simple_tag
def picture(url: str, size: str = "") -> SafeString:
    """The picture of a GPT, or of the builder; decoration beside its name."""
    css = f"avatar {size}".strip()
    return format_html('<img class="{}" src="{}" alt="" width="40" height="40" decoding="async">', css, url)


@register.simple_tag
def control(field: BoundField, **attributes: str) -> SafeString:
    """The control of a form field in our look. Django adds aria-invalid and aria-describedby itself."""
    field.field.widget.attrs.pop("placeholder", None)
    plain = isinstance(field.field.widget, CheckboxInput)
    extra: dict[str, str | bool] = {name.replace("_", "-"): value for name, value in attributes.items() if value}
    return field.as_widget(attrs=extra if plain else {"class": "input", **extra})


@register.filter
def prose(text: str) -> SafeString:
    """What a person or a model wrote in Markdown, as safe HTML for a `.prose` element."""
    return web_markdown.render(text)


@register.filter
def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago, in the largest whole unit: "just now", "5 min ago", "a day ago"; a date after a week."""
    if moment is None:
        return ""
    passed = (now or timezone.now()) - moment
    if passed < timedelta(minutes=1):
        return gettext("just now")
    if passed < timedelta(hours=1):
        minutes = int(passed.total_seconds() // 60)
        return gettext("%(count)d min ago") % {"count": minutes}
    if passed < timedelta(days=1):
        hours = int(passed.total_seconds() // 3600)
        return gettext("%(count)d h ago") % {"count": hours}
    if passed < timedelta(days=2):
        return gettext("a day ago")
    if passed < timedelta(days=7):
        return gettext("%(count)d days ago") % {"count": passed.days}
    return formats.date_format(timezone.localtime(moment), "DATE_FORMAT")


@register.simple_tag
def when(moment: datetime | None) -> SafeString | str:
    """A `<time>` with the relative words to read and the exact moment to look up."""
    if moment is None:
        return ""
    exact = formats.date_format(timezone.localtime(moment), "DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, ago(moment))
