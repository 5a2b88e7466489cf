"""Word and PowerPoint."""

from __future__ import annotations

import pytest

from gptbuilder.knowledge.reading import office
from tests.knowledge.reading import samples
from tests.knowledge.reading.samples import docx, places, pptx, read, texts, word, word_table


def test_text_is_cut_at_headings_and_the_title_is_their_path():
    answer = read(
        docx(word("Before.") + word("One", "Heading1") + word("Text.") + word("Two", "Heading2") + word("More.")),
        "a.docx",
    )

    assert places(answer) == [("part", None, ""), ("heading", None, "One"), ("heading", None, "One › Two")]
    assert answer["sections"][1][3] == "# One\n\nText."


def test_a_table_stays_a_table():
    answer = read(docx(word_table(["Year", "Ducks|Geese"], ["2019", "120"])), "a.docx")

    assert texts(answer) == "| Year | Ducks\\|Geese |\n| --- | --- |\n| 2019 | 120 |"


def test_a_merged_cell_leaves_the_columns_beside_it_where_they_are():
    merged = f"<w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr>{word('wide')}</w:tc><w:tc>{word('last')}</w:tc>"
    answer = read(docx(f"<w:tbl><w:tr>{merged}</w:tr></w:tbl>"), "a.docx")

    assert texts(answer).startswith("| wide |  | last |")


def test_a_frame_of_one_cell_is_no_table():
    assert texts(read(docx(word_table(["Just a box."])), "a.docx")) == "Just a box."


def test_deleted_words_are_gone_and_inserted_ones_are_there():
    changes = (
        "<w:p><w:r><w:t xml:space='preserve'>It </w:t></w:r><w:ins w:id='1'><w:r><w:t>was</w:t></w:r></w:ins>"
        "<w:del w:id='2'><w:r><w:delText>is</w:delText></w:r></w:del></w:p>"
    )

    assert texts(read(docx(changes), "a.docx")) == "It was"


def test_each_slide_has_its_number_and_title():
    answer = read(pptx(["Ducks", "They swim."], ["Geese", "They fly."]), "a.pptx")

    assert places(answer) == [("slide", 1, "Ducks"), ("slide", 2, "Geese")]
    assert "They fly." in answer["sections"][1][3]


def test_comments_and_smart_art_are_read_with_their_slide():
    relations = samples.relations(
        {"a": ("diagramData", "../diagrams/data1.xml"), "b": ("comments", "../comments/comment1.xml")}
    )
    more = {
        "ppt/slides/_rels/slide2.xml.rels": relations,
        "ppt/diagrams/data1.xml": f'<d xmlns:a="{samples.DRAWING}"><a:p><a:r><a:t>Egg to duck</a:t></a:r></a:p></d>',
        "ppt/comments/comment1.xml": (
            f'<p:cmLst xmlns:p="{samples.SLIDES}"><p:cm><p:text>Nice.</p:text></p:cm></p:cmLst>'
        ),
    }

    answer = read(pptx(["One"], ["Two"], **more), "a.pptx")

    assert "Egg to duck\n\nComment: Nice." in answer["sections"][1][3]
    assert "Egg" not in answer["sections"][0][3]


def test_a_machine_without_the_library_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(office, "MISSING", "Unsupported Linux architecture: aarch64")

    assert read(docx(word("x")), "a.docx")["outcome"] == "unsupported"


def test_tables_in_one_another_end_somewhere():
    body = word("inside")
    for _ in range(60):
        body = f"<w:tbl><w:tr><w:tc>{body}</w:tc><w:tc>{word('x')}</w:tc></w:tr></w:tbl>"

    assert read(docx(body), "a.docx")["outcome"] in ("ok", "not_safe", "broken")
