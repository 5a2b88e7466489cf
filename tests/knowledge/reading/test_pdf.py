"""PDF."""

from __future__ import annotations

import pytest

from tests.knowledge.reading import samples
from tests.knowledge.reading.samples import pdf, places, read, shown, stream, texts

IMAGE = "/XObject<</I 6 0 R>>"
PIXELS = stream(b"\0" * 16, "/Type/XObject/Subtype/Image/Width 4/Height 4/BitsPerComponent 8/ColorSpace/DeviceGray")


def test_each_page_is_a_section_with_its_number():
    answer = read(pdf(shown("Ducks swim."), b"", shown("Geese fly.")), "a.pdf")

    assert places(answer) == [("page", 1, ""), ("page", 3, "")]
    assert [text for *_, text in answer["sections"]] == ["Ducks swim.", "Geese fly."]


def test_titles_come_from_the_outline_and_last_until_the_next():
    outline = [
        b"<</First 11 0 R/Last 11 0 R/Count 2>>",
        b"<</Title(Birds)/Parent 10 0 R/Dest[4 0 R/Fit]/First 12 0 R/Last 12 0 R/Count 1>>",
        b"<</Title(Geese)/Parent 11 0 R/Dest[6 0 R/Fit]>>",
    ]
    made = pdf(shown("one"), shown("two"), shown("three"), catalog="/Outlines 10 0 R", objects=outline)

    assert places(read(made, "a.pdf")) == [
        ("page", 1, "Birds"),
        ("page", 2, "Birds › Geese"),
        ("page", 3, "Birds › Geese"),
    ]


def test_a_scanned_file_has_no_text_layer():
    answer = read(pdf(b"100 0 0 100 0 0 cm /I Do", resources=IMAGE, objects=[PIXELS]), "a.pdf")

    assert (answer["outcome"], answer["unread"]) == ("no_text_layer", [1])


def test_a_file_with_one_scanned_page_is_read_and_says_which():
    made = pdf(shown("words"), b"100 0 0 100 0 0 cm /I Do", resources="/XObject<</I 8 0 R>>", objects=[PIXELS])

    answer = read(made, "a.pdf")

    assert (answer["outcome"], answer["unread"]) == ("ok", [2])


@pytest.mark.parametrize(
    ("content", "outcome"),
    [(b"0 0 m 300 200 l S", "empty"), (b"0 0 m 300 200 l 3 3 m 9 9 l S " * 200, "no_text_layer")],
    ids=["a line", "letters drawn as lines"],
)
def test_a_drawing_is_no_text_and_a_frame_no_drawing(content: bytes, outcome: str):
    assert read(pdf(content), "a.pdf")["outcome"] == outcome


def test_what_was_filled_into_a_form_is_text():
    field = [
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(City)/V(Mallorca)/Rect[0 0 90 20]/P 4 0 R>>",
        b"<</Type/Annot/Subtype/Text/Contents(Ask again)/Rect[0 0 9 9]>>",
    ]
    made = pdf(shown("Form"), page="/Annots[6 0 R 7 0 R]", catalog="/AcroForm<</Fields[6 0 R]>>", objects=field)

    assert texts(read(made, "a.pdf")) == "Form\nCity: Mallorca\nAsk again"


def test_shapes_of_letters_become_letters():
    from gptbuilder.knowledge.reading.pdf import cleaned

    assert cleaned("ef\ufb01cient exam\ufffe\r\nple\r\n\x00") == "efficient example"


def test_a_page_is_drawn_for_ocr():
    from gptbuilder.knowledge.reading import images
    from gptbuilder.knowledge.reading.pdf import picture

    drawn = images.opened(picture(pdf(shown("Ducks")), None, 1))

    assert drawn.size == (1250, 834)


def test_a_locked_file_is_drawn_with_its_password():
    from gptbuilder.knowledge.reading.pdf import picture

    assert picture(samples.locked_pdf("Ducks", "sesame"), "sesame", 1).startswith(b"\x89PNG")
