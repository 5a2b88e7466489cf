"""What hangs on a slide or a sheet of an OOXML file and its parser leaves behind: comments, SmartArt, text boxes."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from lxml import etree

from gptbuilder.knowledge.reading import structure
from gptbuilder.knowledge.reading.archives import Archive
from gptbuilder.knowledge.reading.document import Unreadable

RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
STRICT_RELATION_ID = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
THREADED, COMMENTS, SMART_ART, DRAWING = "threadedComment", "comments", "diagramData", "drawing"
COMMENT_ELEMENTS = ("{*}comment", "{*}threadedComment", "{*}cm")


def by_part(archive: Archive) -> list[tuple[str, list[str]]]:
    """For each slide or sheet, in their order: its name (of sheets), and the texts that hang on it.

    A damaged relation costs its texts, not the file.
    """
    main = _targets(archive, "").get("officeDocument", [])
    if not main or not archive.find(main[0][1]):
        return []
    root = structure.parsed(archive.read(main[0][1]))
    paths = {key: path for listed in _targets(archive, main[0][1]).values() for key, path in listed}
    parts = []
    for entry in root.iter("{*}sldId", "{*}sheet"):
        path = paths.get(entry.get(RELATION_ID) or entry.get(STRICT_RELATION_ID) or "", "")
        parts.append((entry.get("name") or "", list(_texts(archive, path))))
    return parts


def _texts(archive: Archive, part: str) -> Iterator[str]:
    targets = _targets(archive, part) if part else {}
    for kind in (SMART_ART, DRAWING):
        for root in _roots(archive, targets.get(kind, [])):
            paragraphs = (structure.words(paragraph) for paragraph in root.iter("{*}p"))
            if text := "\n".join(filter(None, paragraphs)):
                yield text
    # Where there is a thread, the plain comment beside it only tells old programs of it.
    for root in _roots(archive, targets.get(THREADED) or targets.get(COMMENTS, [])):
        for comment in root.iter(*COMMENT_ELEMENTS):
            if text := structure.words(comment):
                place = comment.get("ref")
                yield f"Comment on {place}: {text}" if place else f"Comment: {text}"


def _roots(archive: Archive, targets: list[tuple[str, str]]) -> Iterator[etree._Element]:
    for _, path in targets:
        if archive.find(path):
            yield structure.parsed(archive.read(path))


def _targets(archive: Archive, part: str) -> dict[str, list[tuple[str, str]]]:
    """The relations of a part by the last word of their type: their id, and where they lead within the archive."""
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    found: dict[str, list[tuple[str, str]]] = {}
    if not archive.find(path):
        return found
    try:
        relations = structure.parsed(archive.read(path))
    except Unreadable as error:
        if error.outcome != "broken":
            raise
        return found
    for relation in relations.iter("{*}Relationship"):
        if relation.get("TargetMode") != "External":
            kind = (relation.get("Type") or "").rpartition("/")[2]
            target = posixpath.normpath(posixpath.join("/", folder, relation.get("Target") or "")).lstrip("/")
            found.setdefault(kind, []).append((relation.get("Id") or "", target))
    return found
