"""Tags and filters every template may use without loading them."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from functools import cache, lru_cache

from django import template
from django.forms import BoundField, CheckboxInput
from django.template.base import FilterExpression, Node, Parser, TextNode, Token, Variable
from django.template.context import Context
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as parse_url
from django.templatetags.i18n import TranslateNode, do_translate
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from gptbuilder.web import markdown as web_markdown
from gptbuilder.web import paths

register = template.Library()

SPRITE = "img/icons.svg"


class PathNode(URLNode):
    """`{% url %}` of nothing or of ids, as nearly all of ours are."""

    def render(self, context: Context) -> str:
        if self.kwargs or self.asvar:
            return str(super().render(context))
        values = [arg.resolve(context) for arg in self.args]
        return conditional_escape(paths.path(self.view_name.resolve(context), *values))


@register.tag
def url(parser: Parser, token: Token) -> PathNode:
    """Django's own, faster."""
    parsed = parse_url(parser, token)
    return PathNode(parsed.view_name, parsed.args, parsed.kwargs, parsed.asvar)


class WordsNode(Node):
    """`{% translate %}` of words alone. A page has dozens, and what they are in a language never changes."""

    def __init__(self, words: str) -> None:
        self.words = words

    def render(self, context: Context) -> SafeString:
        return _in_language(self.words, get_language())


@cache
def _in_language(words: str, language: str | None) -> SafeString:
    # Words in a template are markup. A lone percent sign stands doubled in the catalogues.
    return mark_safe(gettext(words.replace("%", "%%")).replace("%%", "%"))  # noqa: S308


@register.tag
def translate(parser: Parser, token: Token) -> Node:
    """Django's own, faster for words alone."""
    parsed: TranslateNode = do_translate(parser, token)
    expression = parsed.filter_expression
    is_words_alone = isinstance(expression.var, Variable) and expression.var.lookups is None and not expression.filters
    if is_words_alone and not (parsed.asvar or parsed.noop or parsed.message_context):
        return WordsNode(expression.var.literal)
    return parsed


@cache
def icon(name: str, extra: str = "") -> SafeString:
    """Decoration, so the text beside it must say what it means."""
    css = f"icon {extra}".strip()
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#icon-{}"/></svg>', css, static(SPRITE), name)


@register.tag("icon")
def icon_tag(parser: Parser, token: Token) -> Node:
    """`{% icon "search" %}`, `{% icon "down" "small" %}`. A page has dozens, of few kinds: those whose name is written
    out are text of the template."""
    arguments = [parser.compile_filter(bit) for bit in token.split_contents()[1:]]
    if all(isinstance(argument.var, str) and not argument.filters for argument in arguments):
        return TextNode(icon(*(str(argument.var) for argument in arguments)))
    return IconNode(arguments)


class IconNode(Node):
    def __init__(self, arguments: list[FilterExpression]) -> None:
        self.arguments = arguments

    def render(self, context: Context) -> SafeString:
        return icon(*(str(argument.resolve(context)) for argument in self.arguments))


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
    return format_html(
        "<time {}>{}</time>", _exact(moment, get_language(), timezone.get_current_timezone()), ago(moment)
    )


@lru_cache(10_000)
def _exact(moment: datetime, language: str | None, zone: tzinfo) -> SafeString:
    words = formats.date_format(timezone.localtime(moment, zone), "DATETIME_FORMAT")
    return format_html('datetime="{}" title="{}"', moment.isoformat(), words)
