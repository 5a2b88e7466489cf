"""Translations are complete, and stay so."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from gptbuilder.web import catalogues


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "templates").mkdir()
    (tmp_path / "gptbuilder").mkdir()
    (tmp_path / "templates/page.html").write_text(
        '<p>{% translate "Hello" %}</p>\n  {% blocktranslate %}It is {{ name }}{% endblocktranslate %}\n'
    )
    (tmp_path / "gptbuilder/words.py").write_text('A = _("Good bye")\nB = ngettext("%d day", "%d days", 2)\n')
    return tmp_path


def translate(path: Path, english: str, chinese: str) -> None:
    text = path.read_text().replace(f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{chinese}"')
    path.write_text(text)


def test_words_are_found_in_python_and_in_templates(project):
    found = {message.id for message in catalogues.extracted(project, "zh-hans") if message.id}

    assert found == {"Hello", "It is %(name)s", "Good bye", ("%d day", "%d days")}


def test_updating_twice_changes_nothing(project):
    first = catalogues.update(project, "zh-hans").read_text()
    second = catalogues.update(project, "zh-hans").read_text()

    assert first == second
    assert "Date" not in first
    assert "page.html" not in first


def test_updating_keeps_translations_and_drops_what_is_gone(project):
    path = catalogues.update(project, "zh-hans")
    translate(path, "Hello", "你好")
    (project / "gptbuilder/words.py").write_text("")

    catalogues.update(project, "zh-hans")

    assert 'msgid "Hello"\nmsgstr "你好"' in path.read_text()
    assert "Good bye" not in path.read_text()


def test_what_is_missing_is_named(project):
    path = catalogues.update(project, "zh-hans")
    translate(path, "Hello", "你好")
    translate(path, "It is %(name)s", "是 %(nome)s")
    (project / "gptbuilder/words.py").write_text('A = _("Good morning")')

    problems = "\n".join(catalogues.problems(project, "zh-hans"))

    assert "missing: Good morning" in problems
    assert "stale: Good bye" in problems
    assert "wrong placeholders: It is %(name)s" in problems
    assert "Hello" not in problems


def test_a_compiled_catalogue_speaks(project):
    path = catalogues.update(project, "zh-hans")
    translate(path, "Hello", "你好")

    assert "你好".encode() in catalogues.compile(project, "zh-hans").read_bytes()


def test_our_own_catalogues_are_complete(capsys):
    try:
        call_command("translations", "check")
    except CommandError as error:
        pytest.fail(f"{error}\n{capsys.readouterr().err}")
