"""Formulas in Markdown: what is one, what is money, and what hostile LaTeX can do (nothing)."""

from __future__ import annotations

import pytest

from gptbuilder.web import markdown, mathematics
from tests.web.test_markdown import Elements


@pytest.mark.parametrize("text", ["$E = mc^2$", "\\(E = mc^2\\)", "公式$E=mc^2$是", "(see $E=mc^2$)", "$5$"])
def test_a_formula_in_a_line_becomes_mathml(text):
    html = markdown.render(text)

    assert '<math display="inline">' in html
    assert "$" not in html


@pytest.mark.parametrize(
    "text",
    [
        "$$x$$",
        "$$\nx\n$$",
        "\\[\nx\n\\]",
        "\\[ x \\]",
        "so\n$$x$$\nand",
        "- a\n  $$\n  x\n  $$",
        "> $$x$$",
        "a $$x$$ b",
    ],
)
def test_a_formula_of_its_own_is_shown_as_a_block(text):
    assert '<math display="block">' in markdown.render(text)


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $6",
        "From $5-$6 or $10.",
        "US$5 and US$6 each",
        "It costs $5, the tax is 6$ more",
        "`$x$`",
        "```\n$x$\n```",
        "\\$x\\$",
        "$HOME/bin:$PATH",
        "$ x $",
        "$$",
        "$$ no end\n\nanother paragraph $$",
        "$$\n\n$$",
    ],
)
def test_money_code_and_loose_dollars_are_no_formulas(text):
    assert "<math" not in markdown.render(text)


def test_emphasis_does_not_reach_into_a_formula():
    assert "<em>" not in markdown.render("$a_1*b_2*c_3$ and \\(x*y*z\\)")


def test_several_lines_are_aligned():
    html = markdown.render("\\[\n\\begin{aligned}a &= b \\\\ c &= d\\end{aligned}\n\\]")

    assert html.count("<mtr>") == 2
    assert '<mtd columnalign="right">' in html


@pytest.mark.parametrize("latex", ["\\frac{", "\\left( x", "\\nosuchcommand{x}", "x_1_2", "\\begin{matrix} a", "}" * 9])
def test_broken_latex_is_shown_as_it_was_written(latex):
    html = markdown.render(f"${latex}$")

    assert f"<code>{latex}</code>" in html or latex in html
    assert "<math" not in html


@pytest.mark.parametrize(
    "latex",
    [
        "\\text{<img src=/gpts/a/pictures/b.webp onerror=alert(1)>}",
        "\\text{</mtext></math><script>alert(1)</script>}",
        "\\text{<a href=https://evil.test>x</a><button data-copy=x>y</button>}",
        "\\text{&lt;script&gt;}",
        "\\href{javascript:alert(1)}{x}",
        "\\style{position:fixed;inset:0}{x}",
        "\\class{toast}{x}",
        "\\id{main}{x}",
        "\\color{red;background:url(//evil.test)}{x}",
        "\\textcolor{expression(alert(1))}{x}",
        "\\hspace{9999em}x\\hspace{-9999em}",
        "\\rule{9999em}{9999em}",
        "\\newcommand{\\a}{\\b\\b}\\newcommand{\\b}{xx}\\a\\a",
        '\\mathrm{" onclick="alert(1)}',
        "<annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml>",
    ],
)
@pytest.mark.parametrize("frame", ["${}$", "$$\n{}\n$$", "\\({}\\)"])
def test_hostile_latex_leaves_only_shapes(latex, frame):
    html = markdown.render(frame.replace("{}", latex))

    for tag, attributes in Elements(html).found:
        assert tag in mathematics.TAGS | {"p", "code", "div", "em", "a", "small"}
        if tag in mathematics.TAGS:
            assert set(attributes) <= set(mathematics.ATTRIBUTES.get(tag, {}))
        assert not {"style", "src", "onclick", "onerror", "id"} & set(attributes)
        assert "javascript:" not in str(attributes.get("href"))
    assert "9999em" not in "".join(str(attributes) for _tag, attributes in Elements(html).found)


def test_a_text_full_of_formulas_is_read_up_to_a_limit():
    html = markdown.render("$x'$ " * 5_000)

    assert html.count("<math") == mathematics.TEXT_CHARACTERS // (2 + mathematics.FORMULA_OVERHEAD)
    assert html.count("<code>") == 5_000 - html.count("<math")


def test_a_formula_without_end_or_bottom_stays_source():
    assert "<math" not in markdown.render(f"${'x' * (mathematics.FORMULA_CHARACTERS + 1)}$")
    assert "<math" not in markdown.render(f"${'{' * 300}x{'}' * 300}$")


def test_one_text_does_not_use_up_the_formulas_of_the_next():
    markdown.render("$x$ " * 2_000)

    assert "<math" in markdown.render("$x$")
