"""Passages follow the structure of a file, and no text is lost between them."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gptbuilder.gateway.tokens import count
from gptbuilder.knowledge.chunking import OVERLAP_TOKENS, TOKENS_MOST, chunks
from gptbuilder.knowledge.reading.document import Section


def page(number: int, text: str) -> Section:
    return Section("page", number, "", text)


def sentences(number: int, what: str = "sentence") -> str:
    return " ".join(f"This is {what} number {at}, which says nothing new." for at in range(number))


def test_a_short_page_is_one_passage_with_its_number():
    [chunk] = chunks([page(7, "All of it.\n\nAnd more.")])

    assert (chunk.kind, chunk.number, chunk.title, chunk.text) == ("page", 7, "", "All of it.\n\nAnd more.")


def test_a_passage_never_leaves_its_page():
    found = chunks([page(1, "One."), page(2, "Two.")])

    assert [(chunk.number, chunk.text) for chunk in found] == [(1, "One."), (2, "Two.")]


def test_a_sentence_that_a_page_cuts_is_carried_over_and_said_to_be():
    found = chunks([page(1, "The refund takes ten"), page(2, "working days.")])

    assert found[1].text == "The refund takes ten\nworking days."
    assert found[1].text[found[1].overlap :] == "working days."
    assert found[0].overlap == 0


def test_headings_become_titles_over_pages_and_begin_passages():
    found = chunks([page(1, f"# Rules\n\n{sentences(9)}\n\n## Refunds\n\n{sentences(9)}"), page(2, "More on refunds.")])

    assert [(chunk.number, chunk.title) for chunk in found] == [
        (1, "Rules"),
        (1, "Rules › Refunds"),
        (2, "Rules › Refunds"),
    ]
    assert found[1].overlap == 0, "a heading begins anew"
    assert found[1].meaning.startswith("Rules › Refunds\nThis is")


def test_the_title_that_a_section_has_is_not_doubled_by_its_own_heading():
    [chunk] = chunks([Section("heading", None, "Rules › Refunds", "## Refunds\n\nTen days.")])

    assert (chunk.title, chunk.text) == ("Rules › Refunds", "Ten days.")


def test_short_parts_under_headings_stay_together_with_their_headings():
    [chunk] = chunks([page(1, "# A\n\nOne.\n\n## B\n\nTwo.")])

    assert (chunk.title, chunk.text) == ("A", "One.\n\n## B\n\nTwo.")


def test_a_page_with_a_heading_alone_is_found_too():
    [chunk] = chunks([page(1, "# Annual report 2025")])

    assert chunk.text == "Annual report 2025"


def test_a_long_table_is_cut_between_rows_and_each_part_has_the_header():
    rows = "\n".join(f"| item {at} | {at * 7} euros and some cents |" for at in range(200))
    found = chunks([Section("sheet", 1, "Prices", f"| Item | Price |\n|---|---|\n{rows}")])

    assert len(found) > 3
    assert all(chunk.text.startswith("| Item | Price |\n|---|---|\n| item") for chunk in found)
    assert [line for chunk in found for line in chunk.text.splitlines() if "item" in line] == rows.splitlines()


def test_long_prose_is_cut_between_sentences_into_even_parts_that_overlap_a_little():
    found = chunks([page(1, sentences(60))])

    assert len(found) >= 2
    sizes = [count(chunk.text) for chunk in found]
    assert max(sizes) <= TOKENS_MOST + OVERLAP_TOKENS
    assert min(sizes) > max(sizes) / 2
    for chunk in found[1:]:
        assert 0 < count(chunk.text[: chunk.overlap]) <= OVERLAP_TOKENS
        assert chunk.text[chunk.overlap :].startswith("This is sentence")


def test_code_is_cut_between_lines_and_not_repeated():
    code = "\n".join(f"    value_{at} = compute({at})" for at in range(200))
    found = chunks([page(1, f"```python\n{code}\n```")])

    assert len(found) > 1
    assert "\n".join(chunk.text for chunk in found).count("value_77 ") == 1
    assert all(chunk.overlap == 0 for chunk in found)


def test_chinese_is_cut_between_its_sentences():
    found = chunks([page(1, "每天早晨我们沿着湖边走五公里。" * 80)])

    assert len(found) > 1
    assert all(chunk.text.endswith("。") for chunk in found)


def test_a_line_without_any_space_is_cut_all_the_same():
    found = chunks([page(1, "x" * 20_000)])

    assert len(found) > 5
    assert all(count(chunk.text) <= TOKENS_MOST + OVERLAP_TOKENS for chunk in found)


PARTS = [*"ab1 .。\n|#-`汉字\t", "\n\n", "\n# ", "\n| a | b |", "\n|---|---|", "\n```\n", "word "]
TEXT = st.lists(st.sampled_from(PARTS), max_size=100).map("".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TEXT, max_size=3))
def test_every_letter_of_prose_is_in_some_passage_and_twice_is_the_same(texts):
    sections = [page(at + 1, text) for at, text in enumerate(texts)]
    found = chunks(sections, tokens_most=30)

    assert found == chunks(sections, tokens_most=30)
    together = "".join(f"{chunk.title} {chunk.text}" for chunk in found)
    for letter in "ab1汉字":
        assert together.count(letter) >= sum(text.count(letter) for text in texts) - _kept_in_titles(texts, letter)
    assert all(0 <= chunk.overlap < len(chunk.text) for chunk in found)


def _kept_in_titles(texts: list[str], letter: str) -> int:
    """A title keeps so many headings and so many letters; what is beyond stands in none."""
    return sum(line.count(letter) for text in texts for line in text.splitlines() if re.match(r"#{1,6}\s", line))
