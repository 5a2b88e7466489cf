"""What comes out of the door: the kind by content, and a word for everything that cannot be read."""

from __future__ import annotations

import random

import pytest

from tests.knowledge.reading import samples
from tests.knowledge.reading.samples import read, texts

BULK = {"word/bulk.xml": random.Random(1).randbytes(9000).hex()}


@pytest.mark.parametrize(
    ("data", "name", "outcome"),
    [
        (b"", "a.txt", "empty"),
        (b"", "a.pdf", "empty"),
        (b" \n\t ", "a.txt", "empty"),
        ("\ufeff".encode("utf-16"), "a.csv", "empty"),
        (samples.docx(""), "a.docx", "empty"),
        (samples.xlsx(("S", "")), "a.xlsx", "empty"),
        (samples.pdf(b""), "a.pdf", "empty"),
        (random.Random(1).randbytes(1000), "a.bin", "unsupported"),
        (b"\x7fELF\2\1\1" + bytes(200), "a", "unsupported"),
        (samples.archive({"a.txt": "words"}), "a.zip", "unsupported"),
        (b"RIFF\0\0\0\0WAVEfmt " + bytes(50), "a.wav", "unsupported"),
        (samples.compound({"Chart": b"x"}), "a.mpp", "unsupported"),
        (b"%PDF-1.7 and then nothing", "a.pdf", "broken"),
        (samples.docx(samples.word("x"))[:300], "a.docx", "broken"),
        (samples.compound({"WordDocument": b"x"})[:900], "a.doc", "broken"),
        (b"\x89PNG\r\n\x1a\n and no picture", "a.png", "broken"),
        (random.Random(1).randbytes(1000), "a.pdf", "broken"),
        (b"not a notebook", "a.ipynb", "broken"),
        (b"Only words.", "a.pdf", "wrong_extension"),
        (b"Only words.", "a.docx", "wrong_extension"),
        (b"Only words.", "a.jpg", "wrong_extension"),
    ],
)
def test_what_cannot_be_read_has_a_word(data: bytes, name: str, outcome: str):
    answer = read(data, name)

    assert (answer["outcome"], answer["sections"]) == (outcome, [])


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (samples.docx(samples.word("words")), "a.pdf", "docx"),
        (samples.xlsx(("S", samples.row(1, A="words"))), "a.xls", "xlsx"),
        (samples.pdf(samples.shown("words")), "a.docx", "pdf"),
        (samples.pdf(samples.shown("words")), "a", "pdf"),
        (b"{\\rtf1 words}", "a.doc", "rtf"),
        (b"<html><body>words</body></html>", "a.doc", "html"),
        (b"<!DOCTYPE html><p>words</p>", "a.txt", "html"),
        (b"words", "a.py", "text"),
        (b"words", "a", "text"),
        (bytes(samples.letter()), "a.txt", "eml"),
        (b"Note: words\nTo do: more words\n", "a.txt", "text"),
        (b"BM, she said, words", "a.txt", "text"),
    ],
)
def test_content_decides_and_the_name_only_among_texts(data: bytes, name: str, kind: str):
    answer = read(data, name)

    assert (answer["outcome"], answer["kind"]) == ("ok", kind)
    assert "ords" in texts(answer)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (samples.locked_pdf("The secret.", "sesame"), "a.pdf"),
        (samples.locked_office(samples.docx(samples.word("The secret."), **BULK), "sesame"), "a.docx"),
        (samples.locked_office(samples.xlsx(("S", samples.row(1, A="The secret.")), **BULK), "sesame"), "a.xlsx"),
    ],
    ids=["pdf", "docx", "xlsx"],
)
def test_a_locked_file_asks_for_its_password(data: bytes, name: str):
    assert read(data, name)["outcome"] == "needs_password"
    assert read(data, name, "open")["outcome"] == "wrong_password"
    assert "The secret." in texts(read(data, name, "sesame"))


def test_a_workbook_locked_with_the_password_of_excel_itself_opens_unasked():
    locked = samples.locked_office(samples.xlsx(("S", samples.row(1, A="words")), **BULK), "VelvetSweatshop")

    assert read(locked, "a.xlsx")["outcome"] == "ok"


def test_an_encrypted_opendocument_is_not_read_even_with_a_password():
    manifest = '<manifest xmlns="m"><file-entry><encryption-data/></file-entry></manifest>'
    locked = samples.open_document("text", "", **{"META-INF/manifest.xml": manifest})

    assert read(locked, "a.odt", "sesame")["outcome"] == "unsupported"


def test_a_parser_that_stumbles_says_broken():
    cyclic = samples.archive({"mimetype": "application/epub+zip", "META-INF/container.xml": "<container/>"})

    answer = read(cyclic, "a.epub")

    assert (answer["outcome"], answer["detail"]) == ("broken", "the book names no package")


def test_a_picture_is_work_for_ocr():
    answer = read(samples.picture("words"), "a.png")

    assert (answer["outcome"], answer["unread"]) == ("no_text_layer", [1])
