"""Emphasis in scripts without spaces, and that nothing else has changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gptbuilder.web import emphasis

PLAIN = MarkdownIt("commonmark").enable("strikethrough")
OURS = MarkdownIt("commonmark").enable("strikethrough")
emphasis.enable(OURS)


def read(text: str) -> str:
    return OURS.render(text).removeprefix("<p>").removesuffix("</p>\n")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**语气：**用", "<strong>语气：</strong>用"),
        ("请**“慢慢”**走。", "请<strong>“慢慢”</strong>走。"),
        ("他说**「重要」**的话", "他说<strong>「重要」</strong>的话"),
        ("**第一步（必做）**打开", "<strong>第一步（必做）</strong>打开"),
        ("**注意！**别忘了**（雨衣）**和水", "<strong>注意！</strong>别忘了<strong>（雨衣）</strong>和水"),
        ("用**`code`**写", "用<strong><code>code</code></strong>写"),
        ("价格*约5%*左右", "价格<em>约5%</em>左右"),
        ("***全部。***好", "<em><strong>全部。</strong></em>好"),
        ("~~旧的。~~新的", "<s>旧的。</s>新的"),
        ("**重要！**です", "<strong>重要！</strong>です"),
        ("**이 용어(This term)**를 강조", "<strong>이 용어(This term)</strong>를 강조"),
        # An underscore inside a word stays one, as everywhere.
        ("变量_名_字", "变量_名_字"),
        ("** 不是**强调", "** 不是**强调"),
        ("5**3是125", "5**3是125"),
    ],
)
def test_emphasis_is_read_where_a_person_sees_it(text, html):
    assert read(text) == html


def test_an_emoji_is_no_letter_of_a_script():
    assert [emphasis.is_cjk(letter) for letter in "语：（カ한〒👍a“ "] == [True] * 6 + [False] * 4


@given(st.text(alphabet=st.sampled_from("ab *_~`[]()!?.,-&“”—é👍\n1"), max_size=40))
def test_other_scripts_are_read_as_commonmark_says(text):
    assert OURS.render(text) == PLAIN.render(text)


@given(st.text(alphabet=st.sampled_from("语气：，。（）「」**__~ a1.\n"), max_size=40))
def test_no_letter_is_lost(text):
    def letters(html: str) -> list[str]:
        return [letter for letter in html if letter in "语气：，。（）「」1"]

    assert letters(OURS.render(text)) == letters(PLAIN.render(text))
