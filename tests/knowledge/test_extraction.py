"""Files read in the cage, and answers from it that are not believed."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import get_args

import pytest
from django.core.management import CommandError, call_command

from gptbuilder import sandbox
from gptbuilder.knowledge import extraction, ocr, outcomes
from gptbuilder.knowledge.management.commands.extract import CLASSES, OTHERWISE
from gptbuilder.knowledge.reading.document import Outcome, Section
from gptbuilder.sandbox.cage import Cage
from tests.knowledge.reading import samples
from tests.knowledge.reading.bombs import MADE

pytest_plugins = ["tests.devdata"]

GOOD = {"outcome": "ok", "kind": "pdf", "sections": [["page", 1, "", "words"]], "unread": [], "detail": ""}
# Words that a bomb may end with: it was refused, it took too much, or it turned out to be harmless.
ENDS = {"not_safe", "too_large", "too_slow", "broken", "empty", "ok"}
# Those that are seen before they unfold.
REFUSED = {
    "zip",
    "zip of many members",
    "billion laughs in Word",
    "billion laughs in XML",
    "billion laughs in SVG",
    "billion laughs in a book",
}


@pytest.fixture
def kept(tmp_path: Path):
    def keep(data: bytes) -> Path:
        path = tmp_path / "file"
        path.write_bytes(data)
        return path

    return keep


def test_a_file_is_read_in_the_cage(kept):
    found = extraction.extract(kept(samples.pdf(samples.shown("Ducks swim."))), "ducks.pdf")

    assert (found.outcome, found.kind, found.sections) == ("ok", "pdf", (Section("page", 1, "", "Ducks swim."),))
    assert found.peak_bytes > 0


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (samples.docx(samples.word("Ducks")), "a.docx"),
        (samples.pptx(["Ducks"]), "a.pptx"),
        (samples.xlsx(("S", samples.row(1, A="Ducks"))), "a.xlsx"),
        (samples.open_document("text", "<text:p>Ducks</text:p>"), "a.odt"),
        (samples.epub({"a": "Ducks"}), "a.epub"),
        (b"<p>Ducks</p>", "a.html"),
        (b"{\\rtf1 Ducks}", "a.rtf"),
        (b"a,b\nDucks,1\n", "a.csv"),
        (bytes(samples.letter()).replace(b"Plain", b"Ducks"), "a.eml"),
        ("Ducks, ça va".encode("cp1252"), "a.txt"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_parser_works_within_the_restraints(data: bytes, name: str, kept):
    found = extraction.extract(kept(data), name)

    assert found.outcome == "ok", found.detail
    assert any("Ducks" in section.text for section in found.sections)


def test_a_name_of_broken_bytes_is_no_obstacle(kept):
    assert extraction.extract(kept(b"words"), "a\udcff.txt").outcome == "ok"


def test_the_password_reaches_the_reader(kept):
    path = kept(samples.locked_pdf("The secret.", "sesame"))

    assert [extraction.extract(path, "a.pdf", word).outcome for word in (None, "no", "sesame")] == [
        "needs_password",
        "wrong_password",
        "ok",
    ]


@pytest.mark.parametrize("bomb", MADE)
def test_a_bomb_ends_in_a_word_and_harms_nobody(bomb: str, kept):
    name, make = MADE[bomb]

    found = extraction.extract(kept(make()), name)

    assert found.outcome in ENDS
    assert (found.outcome == "not_safe") == (bomb in REFUSED)
    assert extraction.extract(kept(b"words"), "a.txt").outcome == "ok"


def test_a_file_above_the_limit_is_not_opened(tmp_path: Path):
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(extraction.FILE_BYTES + 1)

    assert extraction.extract(path, "a.pdf").outcome == "too_large"


@pytest.mark.parametrize(
    ("name", "data", "outcome", "kind"),
    [
        ("notes.txt", "Line one.\n第二行。".encode(), "ok", "text"),
        ("notes.md", b"# Trails\n\nUp and down.", "ok", "markdown"),
        ("prices.csv", b"what,price\nboots,90\n", "ok", "csv"),
        ("main.rs", b"fn main() {}", "ok", "text"),
        ("empty.txt", b" \n", "empty", "text"),
        ("page.html", b"<p>Hello</p>", "no_cage", ""),
        ("latin.txt", "Grüße".encode("latin-1"), "no_cage", ""),
        ("binary.txt", b"PK\x03\x04\0\0", "no_cage", ""),
        ("text.pdf", b"only words", "no_cage", ""),
    ],
)
def test_without_a_cage_only_plain_text_is_read(kept, monkeypatch, name: str, data: bytes, outcome: str, kind: str):
    monkeypatch.setattr(sandbox, "run", Cage(()).run)

    found = extraction.extract(kept(data), name)

    assert (found.outcome, found.kind) == (outcome, kind)
    assert bool(found.sections) == (outcome == "ok")


def test_without_a_cage_sections_are_as_with_one(kept, monkeypatch):
    long = kept(b"# " + b"Trail " * 100 + b"\n\nUp and down.")
    caged = extraction.extract(long, "a.md")
    monkeypatch.setattr(sandbox, "run", Cage(()).run)

    assert caged.sections
    assert extraction.extract(long, "a.md").sections == caged.sections


def test_the_limit_is_the_callers(kept):
    assert extraction.extract(kept(b"words"), "a.txt", most_bytes=4).outcome == "too_large"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "ok",
        GOOD | {"outcome": "fine"},
        GOOD | {"outcome": "empty"},
        GOOD | {"sections": []},
        GOOD | {"kind": "../../etc"},
        GOOD | {"kind": 5},
        GOOD | {"sections": [["page", 1, "", "words", "more"]]},
        GOOD | {"sections": [["paper", 1, "", "words"]]},
        GOOD | {"sections": [["page", True, "", "words"]]},
        GOOD | {"sections": [["page", -1, "", "words"]]},
        GOOD | {"sections": [["page", 1, "", {"text": "words"}]]},
        GOOD | {"unread": ["all"]},
        {key: value for key, value in GOOD.items() if key != "detail"},
    ],
)
def test_an_answer_of_another_form_is_not_believed(answer: object):
    with pytest.raises(extraction.BadAnswer):
        extraction.checked(answer)


def test_what_no_database_stores_is_taken_out():
    answer = GOOD | {"sections": [["page", 1, "t\x00" + "x" * 999, "wo\x00r\ud800ds\n\t\x1b"]], "detail": "d\x00" * 999}

    found = extraction.checked(answer)

    assert (found.sections[0].text, found.sections[0].title) == ("words\n\t", "t" + "x" * 299)
    assert found.detail == "d" * 500


def test_every_outcome_has_a_sentence():
    assert set(outcomes.SENTENCES) == set(get_args(Outcome))
    assert outcomes.sentence("a word of long ago") == outcomes.sentence("broken")


def test_pages_that_were_left_out_are_told():
    found = extraction.Extraction("ok", "pdf", (Section("page", 1, "", "words"),), unread=(2, 3))

    assert "2 pages are pictures" in outcomes.message(found)


@pytest.mark.skipif(not ocr.PROGRAM, reason="tesseract is not installed")
def test_pictures_are_read_where_there_is_ocr(kept):
    picture = samples.picture("Ducks swim")
    found = extraction.extract(kept(picture), "a.png")

    assert (found.outcome, found.unread) == ("ok", ())
    assert "Ducks swim" in found.sections[0].text
    assert extraction.extract(kept(picture), "a.png", recognise=False).outcome == "no_text_layer"


@pytest.mark.skipif(not ocr.PROGRAM, reason="tesseract is not installed")
def test_a_scanned_page_is_read_between_the_others(kept):
    jpeg = samples.stream(
        samples.picture("Ducks swim", "JPEG"),
        "/Type/XObject/Subtype/Image/Width 1200/Height 300/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/DCTDecode",
    )
    scan = b"280 0 0 70 10 100 cm /I Do"
    pages = [samples.shown("one"), scan, samples.shown("three")]

    found = extraction.extract(kept(samples.pdf(*pages, resources="/XObject<</I 10 0 R>>", objects=[jpeg])), "a.pdf")

    assert [section.number for section in found.sections] == [1, 2, 3]
    assert "Ducks swim" in found.sections[1].text


def test_the_command_prints_what_was_read(kept):
    out = StringIO()
    call_command("extract", kept(samples.pptx(["Ducks", "swim"])), "--json", "--name", "a.pptx", stdout=out)

    answer = json.loads(out.getvalue())
    assert (answer["outcome"], answer["class"], answer["kind"]) == ("ok", "text", "pptx")
    assert answer["sections"] == [{"kind": "slide", "number": 1, "title": "Ducks", "text": "# Ducks\n\nswim"}]


def test_the_command_says_why_there_is_nothing(kept):
    out = StringIO()
    call_command("extract", kept(b"%PDF-"), "--name", "a.pdf", stdout=out)

    assert out.getvalue().startswith("broken (pdf): The file is damaged")


def test_the_command_refuses_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(CommandError, match="cannot be opened"):
        call_command("extract", tmp_path / "nothing.pdf")


@pytest.mark.timeout(1200)
def test_files_that_others_made_are_read_as_they_say(devdata: Path):
    rows = list(manifest(devdata / "docs"))
    wrong, missing, strings = [], [], 0

    for row, path in rows:
        found = extraction.extract(path, path.name)
        if not agrees(row["expect"], CLASSES.get(found.outcome, OTHERWISE)):
            wrong.append((row["id"], found.outcome, found.detail))
        text = letters("\n".join(section.text for section in found.sections))
        strings += len(row["must_include"])
        missing += [(row["id"], string) for string in row["must_include"] if letters(string) not in text]

    assert len(wrong) <= 0.04 * len(rows), wrong
    assert len(missing) <= 0.02 * strings, missing


def manifest(folder: Path) -> Iterator[tuple[dict, Path]]:
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if (path := folder / row["path"]).exists():
            yield row, path


def agrees(expected: str, found: str) -> bool:
    return expected in ("any", found) or (expected == "needs_ocr" and found == "text" and ocr.PROGRAM is not None)


def letters(text: str) -> str:
    """Letters and digits alone, compatible forms made equal: neither spaces nor Markdown count."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).lower()))
