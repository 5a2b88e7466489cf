"""Archives, and the XML in them, made to overwhelm."""

from __future__ import annotations

import io
import zipfile

import pytest

from gptbuilder.knowledge.reading import limits, structure
from gptbuilder.knowledge.reading.archives import Archive
from gptbuilder.knowledge.reading.document import Unreadable
from tests.knowledge.reading.samples import archive, docx, read, word


def refused(data: bytes, name: str) -> str:
    with pytest.raises(Unreadable) as error:
        Archive(data).read(name)
    return error.value.outcome


def test_a_member_is_found_in_whatever_case():
    assert Archive(archive({"XL/Workbook.xml": "x"})).read("xl/workbook.xml") == b"x"


def test_too_many_members_are_refused():
    many = archive({f"{number}.xml": "" for number in range(limits.ARCHIVE_MEMBERS + 1)})

    with pytest.raises(Unreadable) as error:
        Archive(many)

    assert error.value.outcome == "not_safe"


def test_what_is_unpacked_is_counted_over_all_members(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "ARCHIVE_BYTES", 3000)
    opened = Archive(archive({"a": "x" * 2000, "b": "y" * 2000}, zipfile.ZIP_STORED))
    opened.read("a")
    opened.read("a")

    with pytest.raises(Unreadable) as error:
        opened.read("b")

    assert error.value.outcome == "not_safe"


def test_a_ratio_is_suspect_only_where_there_is_much(monkeypatch: pytest.MonkeyPatch):
    packed = archive({"a": "x" * 1_000_000})
    assert Archive(packed).read("a")

    monkeypatch.setattr(limits, "ARCHIVE_BYTES_WITHOUT_RATIO", 1000)
    assert refused(packed, "a") == "not_safe"


def test_a_declared_size_is_not_believed():
    packed = bytearray(archive({"a": "x" * 200_000}))
    size = (200_000).to_bytes(4, "little")
    assert packed.count(size) == 2

    assert refused(bytes(packed.replace(size, (10).to_bytes(4, "little"))), "a") == "broken"


@pytest.mark.parametrize("charset", ["utf-8", "utf-16-le", "utf-16-be"])
def test_entities_are_refused_in_every_charset(charset: str):
    assert refused(archive({"a": '<!DOCTYPE x [<!entity a "b">]><x/>'.encode(charset)}), "a") == "not_safe"


def test_a_locked_member_asks_for_a_password():
    packed = bytearray(archive({"a": "x"}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(mark) + place] |= 1

    assert refused(bytes(packed), "a") == "needs_password"


def test_packed_again_there_is_only_what_was_asked_for():
    again = Archive(archive({"a.xml": "x", "media/film.mp4": "y"})).repacked((".xml",))

    assert zipfile.ZipFile(io.BytesIO(again)).namelist() == ["a.xml"]


def test_xml_with_entities_of_its_own_is_refused_and_bad_xml_is_broken():
    outcomes = []
    for data in (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', b"<x>", b"<x>" * 5000 + b"</x>" * 5000):
        with pytest.raises(Unreadable) as error:
            structure.parsed(data)
        outcomes.append(error.value.outcome)

    assert outcomes == ["not_safe", "broken", "broken"]


def test_a_document_with_entities_is_refused_whole():
    bomb = '<!DOCTYPE w:document [<!ENTITY a "ha">]>'
    data = docx(word("x"), **{"word/comments.xml": bomb + "<x>&a;</x>"})

    assert read(data, "a.docx")["outcome"] == "not_safe"
