"""EPUB: its chapters in the order of the spine, each a page of XHTML."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree

from gptbuilder.knowledge.reading import hypertext, markdown, structure
from gptbuilder.knowledge.reading.archives import Archive
from gptbuilder.knowledge.reading.document import Reading, Section, Source, Unreadable

PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
FACTS = (("title", "Title"), ("creator", "Authors"), ("publisher", "Publisher"), ("description", "Description"))
# Fonts are scrambled in many books that anybody may read.
FONT_SCRAMBLING = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


def read(source: Source) -> Reading:
    archive = Archive(source.data)
    _refuse_locked(archive)
    container = structure.parsed(archive.read("META-INF/container.xml"))
    opf = next((node.get("full-path") for node in container.iter("{*}rootfile") if node.get("full-path")), None)
    if opf is None:
        raise Unreadable("broken", "the book names no package")
    package = structure.parsed(archive.read(opf))
    return Reading([*_about(package), *_chapters(archive, package, posixpath.dirname(opf))])


def _refuse_locked(archive: Archive) -> None:
    if archive.find("META-INF/encryption.xml"):
        locks = structure.parsed(archive.read("META-INF/encryption.xml"))
        methods = {node.get("Algorithm") for node in locks.iter("{*}EncryptionMethod")}
        if methods - set(FONT_SCRAMBLING):
            raise Unreadable("unsupported", "a book under copy protection")


def _about(package: etree._Element) -> Iterator[Section]:
    lines = []
    for name, label in FACTS:
        values = [structure.words(node) for node in package.iter("{http://purl.org/dc/elements/1.1/}" + name)]
        if any(values):
            lines.append(f"**{label}:** " + ", ".join(filter(None, values)))
    if lines:
        yield Section("part", None, "", "\n".join(lines))


def _chapters(archive: Archive, package: etree._Element, folder: str) -> Iterator[Section]:
    items = {node.get("id"): node for node in package.iter("{*}item")}
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type") not in PAGES or not item.get("href"):
            continue
        name = posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        if archive.find(name):
            yield from markdown.sections(hypertext.to_markdown(hypertext.decoded(archive.read(name))))
