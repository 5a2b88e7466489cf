"""Catalogues of translations, kept by Babel: no gettext program, no database.

The words are found in our Python files and templates. A catalogue has neither dates nor line numbers and is sorted, so
a change of it shows only words.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message, TranslationError
from babel.messages.checkers import checkers
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

DOMAIN = "django.po"
SOURCES = (("gptbuilder", "*.py"), ("store", "*.py"), ("templates", "*.html"), ("templates", "*.txt"))
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    **{f"{name}_lazy": spec for name, spec in DEFAULT_KEYWORDS.items() if name.endswith("gettext")},
    "gettext_noop": None,
}
HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals={plurals.num_plurals}; plural={plurals.plural_expr};\\n"

"""


def path_of(root: Path, language: str) -> Path:
    return root / "locale" / to_locale(language) / "LC_MESSAGES" / DOMAIN


def extracted(root: Path, language: str) -> Catalog:
    """Every message in the sources, without translations."""
    catalog = Catalog(locale=to_locale(language))
    for folder, pattern in SOURCES:
        for path in sorted((root / folder).rglob(pattern)):
            for message, context in _messages(path):
                catalog.add(message, context=context)
    return catalog


def read(path: Path, language: str) -> Catalog:
    """The kept catalogue, empty when there is none yet."""
    if not path.exists():
        return Catalog(locale=to_locale(language))
    with path.open("rb") as file:
        return read_po(file, locale=to_locale(language))


def update(root: Path, language: str) -> Path:
    """Take new messages in and let unused ones go. Nothing is guessed: a new message is empty, not fuzzy."""
    path = path_of(root, language)
    catalog = read(path, language)
    catalog.update(extracted(root, language), no_fuzzy_matching=True)
    body = io.BytesIO()
    write_po(body, catalog, width=120, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)
    header = HEADER.format(language=to_locale(language), plurals=catalog)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header + body.getvalue().decode().lstrip("\n"))
    return path


def compile(root: Path, language: str) -> Path:
    """Write the `.mo` that Django reads. It is made, so git does not keep it."""
    path = path_of(root, language)
    target = path.with_suffix(".mo")
    with target.open("wb") as file:
        write_mo(file, read(path, language))
    return target


def problems(root: Path, language: str) -> list[str]:
    """What keeps the catalogue from being complete, one sentence each."""
    needed = _by_key(extracted(root, language))
    catalog = read(path_of(root, language), language)
    kept = _by_key(catalog)
    found = [f"missing: {key}" for key in needed if key not in kept]
    found += [f"stale: {key}" for key in kept if key not in needed]
    for key, message in kept.items():
        if not all(_translations(message)):
            found.append(f"not translated: {key}")
        elif message.fuzzy:
            found.append(f"fuzzy: {key}")
        else:
            found += [f"wrong placeholders: {key}: {error}" for error in _errors(message, catalog)]
    return found


def _messages(path: Path) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    source = path.read_text()
    if path.suffix != ".py":
        # What is not translatable becomes blanks of the same shape; its indentation would not be Python's.
        source = "\n".join(line.strip() for line in templatize(source).splitlines())
    for _line, message, _comments, context in extract("python", io.BytesIO(source.encode()), KEYWORDS):
        yield message, context


def _by_key(catalog: Catalog) -> dict[str, Message]:
    messages = (message for message in catalog if message.id)
    return {_key(message): message for message in messages}


def _key(message: Message) -> str:
    words = message.id if isinstance(message.id, str) else message.id[0]
    return f"{message.context}: {words}" if message.context else words


def _translations(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def _errors(message: Message, catalog: Catalog) -> Iterator[str]:
    for checker in checkers:
        try:
            checker(catalog, message)
        except TranslationError as error:
            yield str(error)
