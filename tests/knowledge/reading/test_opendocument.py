"""OpenDocument texts and presentations."""

from __future__ import annotations

from tests.knowledge.reading.samples import open_document, places, read, texts


def odt(body: str) -> dict:
    return read(open_document("text", body), "a.odt")


def test_text_is_cut_at_headings():
    answer = odt(
        '<text:h text:outline-level="1">One</text:h><text:p>Text.</text:p>'
        '<text:section><text:h text:outline-level="2">Two</text:h><text:p>More.</text:p></text:section>'
    )

    assert places(answer) == [("heading", None, "One"), ("heading", None, "One › Two")]


def test_spaces_tabs_breaks_and_links_are_text():
    answer = odt(
        '<text:p>a<text:s text:c="2"/>b<text:tab/>c<text:line-break/><text:span>d</text:span>'
        '<text:a xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="https://example.org">e</text:a>f</text:p>'
    )

    assert texts(answer) == "a  b\tc\nd[e](https://example.org)f"


def test_lists_lie_in_one_another():
    answer = odt(
        "<text:list><text:list-item><text:p>one</text:p><text:list><text:list-item><text:p>two</text:p>"
        "</text:list-item></text:list></text:list-item></text:list>"
    )

    assert texts(answer) == "- one\n  - two"


def test_a_table_stays_a_table_and_repeats_are_bounded():
    answer = odt(
        "<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
        "<table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table-header-rows>"
        '<table:table-row><table:table-cell table:number-columns-repeated="2"><text:p>c</text:p></table:table-cell>'
        '<table:table-cell table:number-columns-repeated="1048576"/></table:table-row></table:table>'
    )

    assert texts(answer) == "| a | b |\n| --- | --- |\n| c | c |"


def test_notes_comments_and_boxes_follow_their_paragraph():
    answer = odt(
        "<text:p>Ducks<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Mallards.</text:p>"
        "</text:note-body></text:note> swim<draw:frame><draw:text-box><text:p>In a box.</text:p></draw:text-box>"
        "</draw:frame>.<office:annotation><text:p>Sure?</text:p></office:annotation></text:p>"
    )

    assert texts(answer) == "Ducks[^1] swim.\n\n[^1]: Mallards.\n\nIn a box.\n\nComment (): Sure?"


def test_each_slide_has_its_number_and_title():
    page = (
        '<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>{}</text:p></draw:text-box>'
        "</draw:frame>"
        "<draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame></draw:page>"
    )
    answer = read(
        open_document("presentation", page.format("Ducks", "They swim.") + page.format("Geese", "Fly.")), "a.odp"
    )

    assert places(answer) == [("slide", 1, "Ducks"), ("slide", 2, "Geese")]
    assert answer["sections"][1][3] == "Geese\n\nFly."
