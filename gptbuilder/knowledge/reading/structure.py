"""XML of hostile files: no entities, no network, no huge trees."""

from __future__ import annotations

from lxml import etree

from gptbuilder.knowledge.reading.document import Unreadable


def parsed(data: bytes) -> etree._Element:
    """The root. Raises Unreadable where it is not XML, or carries a document type with entities."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable("broken", f"XML: {error}") from error
    document_type = root.getroottree().docinfo.internalDTD
    if document_type is not None and any(True for _ in document_type.iterentities()):
        raise Unreadable("not_safe", "XML with entities of its own")
    return root


def local(element: etree._Element) -> str:
    """The name without its namespace; empty for what is no element."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def words(element: etree._Element | None) -> str:
    return " ".join("".join(element.itertext()).split()) if element is not None else ""
