"""E-mail."""

from __future__ import annotations

from email.message import EmailMessage

from tests.knowledge.reading import samples
from tests.knowledge.reading.samples import places, read, texts


def test_a_letter_shows_who_wrote_what_to_whom():
    answer = read(bytes(samples.letter()), "a.eml")

    assert places(answer) == [("part", None, "Über die Maschine")]
    assert texts(answer) == (
        "**From:** Ada <ada@example.org>\n**To:** ben@example.org\n**Subject:** Über die Maschine\n\nPlain words."
    )


def test_rich_text_is_read_where_there_is_no_plain_one():
    message = EmailMessage()
    message["From"] = "ada@example.org"
    message.set_content("<h1>Ducks</h1><p>swim.</p>", subtype="html")

    assert texts(read(bytes(message), "a.eml")).endswith("# Ducks\n\nswim.")


def test_attachments_are_named():
    message = samples.letter()
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="ducks.pdf")

    assert "**Attachments:** ducks.pdf" in texts(read(bytes(message), "a.eml"))


def test_a_letter_saved_in_utf_16_and_one_with_a_wrong_charset_are_read():
    wide = bytes(samples.letter()).decode().encode("utf-16")
    wrong = b"From: a@example.org\nContent-Type: text/plain; charset=x-unknown\n\nDucks \xe9t\xe9"

    assert "Plain words." in texts(read(wide, "a.eml"))
    assert "Ducks" in texts(read(wrong, "a.eml"))


def test_a_letter_of_outlook_is_read_alike():
    def wide(text: str) -> bytes:
        return text.encode("utf-16-le")

    letter = samples.compound(
        {
            "__properties_version1.0": b"\0",
            "__substg1.0_0037001F": wide("Über die Maschine"),
            "__substg1.0_0C1A001F": wide("Ada"),
            "__substg1.0_0C1F001F": wide("ada@example.org"),
            "__substg1.0_1000001E": "Plain wörds.".encode("cp1252"),
            "__recip_version1.0_#00000000/__substg1.0_39FE001F": wide("ben@example.org"),
            "__attach_version1.0_#00000000/__substg1.0_3707001F": wide("ducks.pdf"),
        }
    )

    assert texts(read(letter, "a.msg")) == (
        "**From:** ada@example.org (Ada)\n**To:** ben@example.org\n**Subject:** Über die Maschine\n"
        "**Attachments:** ducks.pdf\n\nPlain wörds."
    )


def test_rich_text_of_outlook_is_read_where_there_is_no_plain_one():
    letter = samples.compound({"__properties_version1.0": b"\0", "__substg1.0_10130102": b"<p>Rich <b>words</b></p>"})

    assert texts(read(letter, "a.msg")) == "Rich **words**"
