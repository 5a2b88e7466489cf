"""Jupyter notebooks: text cells as they are, code cells fenced, what they printed below."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gptbuilder.knowledge.reading import charsets, markdown
from gptbuilder.knowledge.reading.document import Reading, Source, Unreadable


def read(source: Source) -> Reading:
    try:
        notebook = json.loads(charsets.decoded(source.data))
        # Before version 4 the cells lay in worksheets.
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        language = str(notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python"))
        text = "\n\n".join(part for cell in cells for part in _parts(cell, language))
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise Unreadable("broken", f"notebook: {error!r}") from error
    return Reading(list(markdown.sections(text)))


def _parts(cell: dict[str, Any], language: str) -> Iterator[str]:
    text = _joined(cell.get("source", cell.get("input", "")))
    match cell.get("cell_type"):
        case "code":
            yield _fenced(text, language)
            for output in cell.get("outputs", []):
                if shown := _shown(output):
                    yield _fenced(shown, "")
        case "heading":
            yield markdown.heading(int(cell.get("level", 1)), text)
        case _:
            yield text


def _shown(output: dict[str, Any]) -> str:
    """What an output says in words; pictures and widgets say nothing."""
    if "ename" in output:
        return f"{output['ename']}: {output.get('evalue', '')}"
    found = output.get("text") or output.get("data", {}).get("text/plain", "")
    return _joined(found).strip("\n")


def _joined(lines: str | list[str]) -> str:
    return lines if isinstance(lines, str) else "".join(lines)


def _fenced(text: str, language: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"
