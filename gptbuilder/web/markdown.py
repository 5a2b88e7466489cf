"""Markdown of models and people as HTML that can do nothing but be read.

markdown-it parses without raw HTML, the links and pictures are rewritten here, and nh3 keeps an allow-list of what
comes out: two independent nets. Nothing on the page is fetched from elsewhere, and a link says where it leads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from gptbuilder.web import emphasis, highlighting, mathematics

# What keeps the worst text of each kind under about 0.2 s; no answer of a model comes near. Each open bracket is tried
# as the start of a link, each bar of a table's head makes a cell in every row.
MAX_CHARACTERS = 60_000
MAX_LINES = 4_000
MAX_BRACKETS = 4_000
MAX_BRACKETS_PER_PARAGRAPH = 400
MAX_BARS_PER_LINE = 200
MAX_QUOTE_DEPTH = 20
WEB = ("http", "https")
# Pictures the installation itself serves, and nothing else on our host: an address like /logout is not a picture.
OWN_PICTURE = re.compile(r"/gpts/[\w-]+/pictures/[\w-]+\.webp")
WIDE_ROW = re.compile(rf"^(?:[^|\n]*\|){{{MAX_BARS_PER_LINE + 1}}}", re.MULTILINE)
DEEP_QUOTE = re.compile(rf"^[ \t]*(?:>[ \t]*){{{MAX_QUOTE_DEPTH + 1}}}", re.MULTILINE)
ALIGNMENTS = {"text-align:right": "number", "text-align:center": "center"}

TAGS = {
    "a", "blockquote", "br", "button", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "img", "li", "ol", "p", "pre", "s", "small", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
} | mathematics.TAGS  # fmt: skip
CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes={
        "a": {"href", "title"},
        "button": {"type", "data-copy"},
        "div": {"tabindex"},
        "img": {"src", "alt", "title", "loading"},
        "ol": {"start"},
        "pre": {"tabindex"},
        "th": {"scope"},
        **{tag: set(shaping) for tag, shaping in mathematics.ATTRIBUTES.items()},
    },
    allowed_classes={
        "button": {"button", "small", "quiet", "push"},
        "div": {"code", "formula", "scrolls"},
        "p": {"plain"},
        "small": {"host"},
        "span": set(highlighting.CLASSES),
        "table": {"table"},
        "td": set(ALIGNMENTS.values()),
        "th": set(ALIGNMENTS.values()),
    },
    set_tag_attribute_values={"a": {"rel": "noopener nofollow ugc", "target": "_blank"}},
    link_rel=None,
    url_schemes={"http", "https", "mailto"},
)


def render(text: str) -> SafeString:
    """Safe HTML for a `.prose` element; 0.2 ms per KB of plain text, 0.7 with code and links.

    Text too long or too tangled comes back as it is, escaped.
    """
    if _is_tangled(text):
        return mark_safe(f'<p class="plain">{escape(text)}</p>')  # noqa: S308 - escaped
    return mark_safe(CLEANER.clean(PARSER.render(text, {})))  # noqa: S308 - cleaned


def _is_tangled(text: str) -> bool:
    if len(text) > MAX_CHARACTERS or text.count("\n") > MAX_LINES:
        return True
    if DEEP_QUOTE.search(text) or WIDE_ROW.search(text):
        return True
    brackets = text.count("[")
    if brackets <= MAX_BRACKETS_PER_PARAGRAPH:
        return False
    return brackets > MAX_BRACKETS or any(
        paragraph.count("[") > MAX_BRACKETS_PER_PARAGRAPH for paragraph in re.split(r"\n[ \t]*\n", text)
    )


def _rewrite(state: StateCore) -> None:
    """The core rule: links, pictures and alignments, after the inline text was parsed."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open"):
            _align(token)
        elif token.type == "inline" and token.children:
            token.children = _inline(token.children)


def _align(cell: Token) -> None:
    style = str(cell.attrs.pop("style", ""))
    if style in ALIGNMENTS:
        cell.attrSet("class", ALIGNMENTS[style])
    if cell.tag == "th":
        cell.attrSet("scope", "col")


def _inline(children: list[Token]) -> list[Token]:
    rewritten: list[Token] = []
    opened: list[int] = []
    for token in children:
        if token.type == "link_open":
            opened.append(len(rewritten))
            rewritten.append(token)
        elif token.type == "link_close" and opened:
            start = opened.pop()
            rewritten[start:] = _link(rewritten[start], rewritten[start + 1 :], token)
        elif token.type == "image":
            rewritten.extend(_image(token, inside_link=bool(opened)))
        else:
            rewritten.append(token)
    return rewritten


def _link(opening: Token, inside: list[Token], closing: Token) -> list[Token]:
    """A link that shows its host, or, where the address is none of the web's, the text and the address as text."""
    address = str(opening.attrGet("href") or "")
    shown = "".join(token.content for token in inside)
    if address.lower().startswith("mailto:"):
        return [opening, *inside, closing]
    host = _host(address)
    if not host:
        return [*inside, _text(f" ({address})")] if address not in ("", shown) else inside
    if _names(shown, host):
        return [opening, *inside, closing]
    return [opening, *inside, _html_token(f'<small class="host"> {escape(host)}</small>'), closing]


def _image(token: Token, *, inside_link: bool) -> list[Token]:
    address = str(token.attrGet("src") or "")
    words = token.content or gettext("Picture")
    if OWN_PICTURE.fullmatch(address):
        token.attrSet("loading", "lazy")
        return [token]
    if inside_link or not _host(address):
        return [_text(words)]
    opening = Token("link_open", "a", 1, attrs={"href": address})
    return _link(opening, [_text(words)], Token("link_close", "a", -1))


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.scheme.lower() in WEB else ""


def _names(shown: str, host: str) -> bool:
    """Whether the visible text is that very host: `evil.test.bank.example` is not `evil.test`."""
    visible = re.sub(r"^https?://", "", shown.strip().lower())
    return re.split(r"[/?#]", visible, maxsplit=1)[0].removeprefix("www.") == host.removeprefix("www.")


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _html_token(content: str) -> Token:
    return Token("html_inline", "", 0, content=content)


def _code(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    language = highlighting.language(token.info.split(maxsplit=1)[0] if token.info.strip() else "")
    copy = escape(gettext("Copy"))
    return (
        f'<div class="code"><header>{escape(language.name)} '
        f'<button class="button small quiet push" type="button" data-copy="">{copy}</button></header>'
        f'<pre tabindex="0"><code>{highlighting.highlight(token.content, language)}</code></pre></div>\n'
    )


def _table_open(self: RendererHTML, *_rest: object) -> str:
    return '<div class="scrolls"><table class="table">\n'


def _table_close(self: RendererHTML, *_rest: object) -> str:
    return "</table></div>\n"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_QUOTE_DEPTH})
    parser.enable(["table", "strikethrough"])
    emphasis.enable(parser)
    mathematics.enable(parser)
    parser.core.ruler.push("rewrite", _rewrite)
    parser.add_render_rule("fence", _code)
    parser.add_render_rule("code_block", _code)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


PARSER = _parser()
