"""What comes out of Markdown can only be read."""

from __future__ import annotations

import json
import os
import tarfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gptbuilder.web import markdown

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = ROOT.parent / "shared" / "data" / "dev.tar.gz"
PAYLOADS = "security/xss-cases.json"


class Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def payloads() -> list[dict[str, str]]:
    if folder := os.environ.get("DEV_DATA"):
        return json.loads((Path(folder) / PAYLOADS).read_text())
    if ARCHIVE.exists():
        with tarfile.open(ARCHIVE) as archive:
            name = next(member for member in archive.getnames() if member.endswith(PAYLOADS))
            return json.load(archive.extractfile(name))
    if os.environ.get("CI") == "true":
        pytest.fail("The Markdown payloads are missing: set DEV_DATA.")
    pytest.skip("DEV_DATA and ../shared/data/dev.tar.gz are missing")


def test_no_payload_leaves_anything_that_acts_or_fetches():
    for case in payloads():
        html = markdown.render(case["markdown"])

        for tag, attributes in Elements(html).found:
            assert tag in markdown.TAGS, case
            assert not [name for name in attributes if name.startswith(("on", "style", "hx-", "data-hx"))], case
            assert "src" not in attributes, case
            assert str(attributes.get("href", "https:")).startswith(("https:", "http:", "mailto:")), case


@pytest.mark.browser
def test_no_payload_runs_a_script_or_sends_a_request_in_a_browser():
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
    html = "<hr>".join(markdown.render(case["markdown"]) for case in payloads())
    requests: list[str] = []
    dialogs: list[str] = []

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        page = browser.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.set_content(f"<!doctype html><body>{html}")
        page.wait_for_load_state("networkidle")
        browser.close()

    assert requests == []
    assert dialogs == []


def test_a_link_names_its_host_and_gives_nothing_away():
    html = markdown.render("[the timetable](https://timetable.example.org/x)")

    assert '<small class="host"> timetable.example.org</small></a>' in html
    assert 'rel="noopener nofollow ugc"' in html
    assert 'target="_blank"' in html


@pytest.mark.parametrize("text", ["[example.org](https://example.org/a)", "<https://example.org/a>"])
def test_a_link_whose_text_is_its_host_does_not_repeat_it(text):
    assert "host" not in markdown.render(text)


@pytest.mark.parametrize("shown", ["https://bank.example", "evil.test.bank.example", "bank.example/evil.test"])
def test_a_link_that_pretends_names_where_it_leads(shown):
    assert '<small class="host"> evil.test</small>' in markdown.render(f"[{shown}](https://evil.test)")


def test_a_link_inside_the_site_is_only_text():
    assert markdown.render("[out](/accounts/logout/)") == "<p>out (/accounts/logout/)</p>\n"


def test_a_picture_from_elsewhere_becomes_a_link():
    html = markdown.render("![A lake](https://elsewhere.example/lake.png)")

    assert "<img" not in html
    assert ">A lake<" in html
    assert "elsewhere.example</small>" in html


def test_a_picture_of_our_own_is_shown():
    html = markdown.render("![A lake](/gpts/gpt_1/pictures/pic_2.webp)")

    assert '<img src="/gpts/gpt_1/pictures/pic_2.webp" alt="A lake" loading="lazy">' in html


def test_a_picture_inside_a_link_leaves_one_link():
    html = markdown.render("[![A lake](https://a.example/lake.png)](https://b.example)")

    assert html.count("<a ") == 1
    assert "b.example</small>" in html


def test_code_is_coloured_by_class_and_can_be_copied():
    html = markdown.render("```python\ndef f():\n    return 1  # why\n```")

    assert html.startswith('<div class="code"><header>Python <button')
    assert 'data-copy=""' in html
    assert '<pre tabindex="0">' in html
    assert '<span class="word">def</span>' in html
    assert '<span class="aside"># why</span>' in html


def test_code_in_an_unknown_language_is_only_escaped():
    html = markdown.render('```"><img\n<b>\n```')

    assert "&lt;b&gt;" in html
    assert "<img" not in html
    assert "<span" not in html


def test_a_table_scrolls_and_aligns_by_class():
    html = markdown.render("| a | b |\n|---|--:|\n| 1 | 2 |")

    assert '<div class="scrolls"><table class="table">' in html
    assert '<th class="number" scope="col">' in html
    assert '<td class="number">2</td>' in html
    assert "style" not in html


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5_000,
        "a" * (markdown.MAX_CHARACTERS + 1),
        "x\n" * (markdown.MAX_LINES + 1),
        ">" * 50 + " deep",
        "|a" * 500 + "\n" + "|-" * 500,
    ],
    ids=["brackets", "long", "lines", "quotes", "columns"],
)
def test_a_tangled_text_comes_back_as_it_is(text):
    assert markdown.render(text) == f'<p class="plain">{text.replace(">", "&gt;")}</p>'


def test_html_is_text():
    assert markdown.render("<b>bold</b>") == "<p>&lt;b&gt;bold&lt;/b&gt;</p>\n"


def test_chinese_is_emphasised_beside_its_own_marks():
    assert markdown.render("**语气：**用") == "<p><strong>语气：</strong>用</p>\n"
