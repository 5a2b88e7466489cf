"""RTF."""

from __future__ import annotations

from tests.knowledge.reading.samples import read, texts


def rtf(code: str) -> str:
    return texts(read(b"{\\rtf1\\ansi\\ansicpg1252 " + code.encode("latin-1") + b"}", "a.rtf"))


def test_letters_beyond_ascii_are_read_in_each_of_their_three_ways():
    assert rtf("\\u23398?\\'e9 é") == "学é é"


def test_letters_written_in_two_halves_become_one_and_a_half_a_mark():
    assert rtf("\\u-10240?\\u-8384? \\u-10240?") == "\U00010340 \ufffd"


def test_rows_become_a_table():
    assert rtf("Before\\par a\\cell b\\cell\\row c\\cell d\\cell\\row After") == (
        "Before\n\n| a | b |\n| --- | --- |\n| c | d |\n\nAfter"
    )


def test_text_boxes_and_footnotes_are_text():
    box = "{\\shp{\\*\\shpinst{\\sp{\\sn a}{\\sv 1}}{\\shptxt boxed}}}"

    assert rtf(f"One{box} two{{\\footnote noted}}").split() == ["One", "boxed", "two", "noted"]


def test_pictures_are_passed_over():
    assert rtf("{\\pict\\pngblip " + "89504e47" * 200 + "}words") == "words"
