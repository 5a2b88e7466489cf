"""Text in any charset."""

from __future__ import annotations

import pytest

from gptbuilder.knowledge.reading import charsets, limits
from gptbuilder.knowledge.reading.document import Unreadable

CHINESE = "今天上午，公司召开了关于知识管理系统的会议。与会者讨论了如何让文件被检索到。"
TAIWANESE = "今天上午，公司召開了關於知識管理系統的會議。與會者討論了如何讓文件被檢索到。"
JAPANESE = "本日の午前中に、ナレッジ管理システムに関する会議が開かれました。"
KOREAN = "오늘 오전에 회사는 지식 관리 시스템에 관한 회의를 열었습니다."
RUSSIAN = "Сегодня утром компания провела совещание о системе управления знаниями."
FRENCH = "Ce matin, l'entreprise a tenu une réunion à propos du système déjà reçu."
POLISH = "Dziś rano firma zorganizowała spotkanie dotyczące systemu zarządzania wiedzą."


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        (CHINESE, "gb18030"), (CHINESE, "utf-8-sig"), (CHINESE, "utf-16"), (TAIWANESE, "big5"),
        (JAPANESE, "shift_jis"), (JAPANESE, "euc_jp"), (JAPANESE, "iso2022_jp"), (KOREAN, "euc_kr"),
        (RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (FRENCH, "cp1252"), (FRENCH, "mac_roman"), (POLISH, "cp1250"),
        (FRENCH, "utf-16-le"), (FRENCH, "utf-16-be"), (FRENCH, "utf-32"),
    ],
)  # fmt: skip
def test_the_charset_is_found(text: str, charset: str):
    assert charsets.decoded(text.encode(charset)) == text


def test_what_the_file_declares_beats_a_guess():
    assert [charsets.decoded(b"\xa4\xa4", charset) for charset in ("big5", "euc_jp")] == ["中", "い"]


def test_a_charset_nobody_knows_is_no_obstacle():
    assert charsets.decoded(FRENCH.encode("cp1252"), "x-nonsense") == FRENCH


def test_one_broken_letter_does_not_change_the_charset_of_a_long_text():
    text = "naïve " * 40_000

    assert charsets.decoded(text.encode() + b"\xff") == text + "\ufffd"


def test_lines_end_alike_and_stray_control_characters_are_gone():
    assert charsets.decoded(b"a\r\nb\rc\x00" + b"d" * 200) == "a\nb\nc" + "d" * 200


@pytest.mark.parametrize("data", [bytes(range(256)) * 4, b"\x00" * 100], ids=["every byte", "zeros"])
def test_bytes_that_are_no_text_are_refused(data: bytes):
    with pytest.raises(Unreadable) as refused:
        charsets.decoded(data)

    assert refused.value.outcome == "unsupported"


def test_more_than_one_can_search_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "TEXT_BYTES", 10)

    with pytest.raises(Unreadable) as refused:
        charsets.decoded(b"eleven byte")

    assert refused.value.outcome == "too_large"
