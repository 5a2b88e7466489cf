"""LaTeX in Markdown as MathML, which browsers draw by themselves: `$…$`, `$$…$$`, `\\(…\\)`, `\\[…\\]`.

latex2mathml reads LaTeX; what it makes is copied element by element, because it escapes nothing and passes on styles
and links. A formula that cannot be read stays as it was written, as code. So does money: “$5 and $6” is no formula.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from django.utils.html import escape
from latex2mathml.converter import Converter
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

# At most 40 µs for each character of a formula (its worst, a row of primes): 0.3 s for a whole text.
FORMULA_CHARACTERS = 2_000
TEXT_CHARACTERS = 10_000
FORMULA_OVERHEAD = 20
FORMULA_LINES = 40
DEPTH_MOST = 60
SPENT = "characters of formulas"

TAGS = {
    "math", "menclose", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom", "mprescripts",
    "mroot", "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder",
    "munderover", "none",
}  # fmt: skip
LENGTHS = re.compile(r"(?:(?:\d{1,2}(?:\.\d{1,4})?|-?0?\.\d{1,4})(?:em|ex|pt|px|mu) ?){1,20}|0")
SWITCH = re.compile(r"true|false")
ATTRIBUTES: dict[str, dict[str, re.Pattern[str]]] = {
    "math": {"display": re.compile(r"inline|block")},
    "mfrac": {"linethickness": LENGTHS},
    "mi": {"mathvariant": re.compile(r"normal")},
    "mo": {
        "fence": SWITCH, "form": re.compile(r"prefix|infix|postfix"), "lspace": LENGTHS, "maxsize": LENGTHS,
        "minsize": LENGTHS, "movablelimits": SWITCH, "rspace": LENGTHS, "separator": SWITCH, "stretchy": SWITCH,
    },
    "mspace": {"width": LENGTHS},
    "mstyle": {"displaystyle": SWITCH, "scriptlevel": re.compile(r"\d")},
    "mtable": {"displaystyle": SWITCH},
    "mtd": {"columnalign": re.compile(r"left|center|right")},
}  # fmt: skip
# Commands that define commands could grow without end; the others carry addresses, styles and names.
REFUSED = re.compile(
    r"\\(?:(?:re|provide)?newcommand|g?def|let|href|style|class|id|require|includegraphics)(?![A-Za-z])"
)
# Environments that are written inside a formula and that the converter knows by another name only.
RENAMED = re.compile(r"\\(begin|end)\{(?:aligned|split|gathered|alignedat)\}")
# Money and prose between two dollars: it begins with a digit, and words follow.
PROSE_AFTER_DIGIT = re.compile(r"\d[^\\]*\s[^\W\d_]{2,}")


def enable(parser: MarkdownIt) -> None:
    """Teach the parser formulas. Its environment counts what they cost, so each text needs its own."""
    parser.inline.ruler.before("escape", "formula", _inline)
    parser.block.ruler.before("fence", "formula", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.add_render_rule("formula", _render)


def mathml(latex: str, *, display: bool) -> str:
    """The formula as a `<math>` element, or, where it cannot be read, its source as `<code>`."""
    written = RENAMED.sub(r"\\\1{align*}", latex)
    if len(latex) > FORMULA_CHARACTERS or REFUSED.search(latex):
        return _source(latex)
    try:
        made = Converter(display="block" if display else "inline").convert_to_element(written)
        return "".join(_copy(made, 0))
    # Each release of the converter stumbles differently over what models write; the source is a good answer.
    except Exception:  # noqa: BLE001
        return _source(latex)


class _Unreadable(Exception):
    """The converter left something in that is no formula."""


def _copy(element: Element, depth: int) -> Iterator[str]:
    """The element and what is in it, as text that was escaped here, with the attributes that only shape it."""
    if element.tag not in TAGS or depth > DEPTH_MOST:
        raise _Unreadable
    text = html.unescape(element.text or "")
    # A command it does not know, or a brace without its other half.
    if (element.tag != "mtext" and re.match(r"\\[A-Za-z]", text)) or (element.tag == "mi" and text in ("{", "}")):
        raise _Unreadable
    allowed = ATTRIBUTES.get(element.tag, {})
    shape = "".join(
        f' {name}="{value}"' for name, value in element.items() if name in allowed and allowed[name].fullmatch(value)
    )
    yield f"<{element.tag}{shape}>{escape(text)}"
    for child in element:
        yield from _copy(child, depth + 1)
    yield f"</{element.tag}>"


def _source(latex: str) -> str:
    return f"<code>{escape(latex.strip())}</code>"


def _render(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    token = tokens[index]
    env[SPENT] = env.get(SPENT, 0) + FORMULA_OVERHEAD + len(token.content)
    if env[SPENT] > TEXT_CHARACTERS:
        made = _source(token.content)
    else:
        made = mathml(token.content, display=token.markup in ("$$", "\\["))
    return f'<div class="formula" tabindex="0">{made}</div>\n' if token.block else made


# --- Where a formula begins and ends ----------------------------------------------------------------


def _inline(state: StateInline, silent: bool) -> bool:
    found = _delimited(state.src, state.pos, state.posMax)
    if found is None:
        return False
    mark, content, end = found
    if not silent:
        token = state.push("formula", "math", 0)
        token.content, token.markup = content, mark
    state.pos = end
    return True


def _delimited(source: str, start: int, most: int) -> tuple[str, str, int] | None:
    """The mark, the formula and where it ends; None when no formula begins here."""
    mark = next((mark for mark in ("$$", "$", "\\(", "\\[") if source.startswith(mark, start)), "")
    if not mark:
        return None
    closing = {"\\(": "\\)", "\\[": "\\]"}.get(mark, mark)
    begin = start + len(mark)
    end = _closing(source, closing, begin, min(most, begin + FORMULA_CHARACTERS))
    if end < 0:
        return None
    content, after = source[begin:end], end + len(closing)
    if not content.strip() or "`" in content:
        return None
    if mark == "$" and not _is_formula(source[start - 1 : start], content, source[after : after + 1]):
        return None
    return mark, content, after


def _closing(source: str, closing: str, begin: int, most: int) -> int:
    """Where the mark stands that no backslash takes its meaning; -1 if nowhere."""
    at = source.find(closing, begin, most)
    while at > 0 and (len(source[begin:at]) - len(source[begin:at].rstrip("\\"))) % 2:
        at = source.find(closing, at + 1, most)
    return at


def _is_formula(before: str, content: str, after: str) -> bool:
    """Whether a pair of single dollars holds a formula: no spaces inside its ends, no word or number against it."""
    if content[0].isspace() or content[-1].isspace() or PROSE_AFTER_DIGIT.match(content):
        return False
    return not any(beside.isascii() and (beside.isalnum() or beside == "$") for beside in (before, after) if beside)


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`$$` or `\\[` at the beginning of a line, up to the end of a line within FORMULA_LINES."""
    first = _line(state, start)
    mark = next((mark for mark in ("$$", "\\[") if first.startswith(mark)), "")
    if not mark or state.is_code_block(start):
        return False
    closing = "$$" if mark == "$$" else "\\]"
    content: list[str] = []
    for number in range(start, min(end, start + FORMULA_LINES)):
        line = (first.removeprefix(mark) if number == start else _line(state, number)).rstrip()
        if number > start and (not line or state.sCount[number] < state.blkIndent):
            return False
        if closing in line:
            return line.endswith(closing) and _finish(state, start, number, mark, [*content, line[:-2]], silent)
        content.append(line)
    return False


def _finish(state: StateBlock, start: int, last: int, mark: str, content: list[str], silent: bool) -> bool:
    formula = "\n".join(content)
    if not formula.strip() or mark in formula:
        return False
    if not silent:
        state.line = last + 1
        token = state.push("formula", "math", 0)
        token.block, token.content, token.markup, token.map = True, formula, mark, [start, last + 1]
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]
