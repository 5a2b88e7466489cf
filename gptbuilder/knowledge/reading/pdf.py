"""PDF by PDFium: the text of each page in its reading order, form fields and comments, titles from the outline."""

from __future__ import annotations

import ctypes
import io
import re
import unicodedata
from collections.abc import Iterator

import pypdfium2
import pypdfium2.raw as pdfium

from gptbuilder.knowledge.reading import limits, markdown
from gptbuilder.knowledge.reading.document import Reading, Section, Source, Unreadable

# Letters by their shape, as ligatures and Arabic fonts have them: a search wants the letters themselves.
SHAPES = re.compile(r"[\ufb00-\ufdff\ufe70-\ufefc]+")
# PDFium marks a word that is parted at the end of a line with one of these.
PARTED = re.compile(r"[\x02\ufffe](?:\r?\n)?")
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")
# A drawing of letters has thousands of lines; a frame around an empty page has four.
DRAWN_LINES = 100
OBJECTS_LOOKED_AT = 2_000
FORM_DEPTH = 3
OUTLINE_DEPTH = 6
OUTLINE_ITEMS = 5_000
COMMENTS = (pdfium.FPDF_ANNOT_TEXT, pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_HIGHLIGHT)
STRING_BYTES = 65_536
RESOLUTION = 300
POINTS_PER_INCH = 72
PICTURE_PIXELS = 25_000_000


def read(source: Source) -> Reading:
    budget = limits.Budget()
    sections, unread, drawn = [], [], 0
    with opened(source.data, source.password) as document:
        if len(document) > limits.PAGES:
            raise Unreadable("too_large", f"{len(document)} pages")
        document.init_forms()
        form = document.formenv
        titles = _titles(document)
        for number in range(1, len(document) + 1):
            try:
                page = document[number - 1]
            except pypdfium2.PdfiumError:
                continue
            drawn += 1
            if text := budget.spend(_page(page, form)):
                sections.append(Section("page", number, titles.get(number, ""), text))
            elif _shows_something(page):
                unread.append(number)
            page.close()
    if not drawn:
        raise Unreadable("broken", "no page could be opened")
    return Reading(sections, unread)


def opened(data: bytes, password: str | None) -> pypdfium2.PdfDocument:
    """Raises Unreadable: needs_password, wrong_password, broken, or unsupported for a lock PDFium does not know."""
    try:
        return pypdfium2.PdfDocument(data, password=password)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise Unreadable("needs_password" if password is None else "wrong_password") from error
        raise Unreadable(
            "unsupported" if error.err_code == pdfium.FPDF_ERR_SECURITY else "broken", str(error)
        ) from error


def _page(page: pypdfium2.PdfPage, form: object) -> str:
    text_page = page.get_textpage()
    parts = [text_page.get_text_range()]
    text_page.close()
    parts += _annotations(page, form)
    return cleaned("\n".join(filter(None, parts)))


def cleaned(text: str) -> str:
    text = PARTED.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    text = SHAPES.sub(lambda found: unicodedata.normalize("NFKC", found[0]), UNSEEN.sub("", text))
    return "\n".join(line.rstrip() for line in text.replace("\xa0", " ").split("\n")).strip()


def _annotations(page: pypdfium2.PdfPage, form: object) -> Iterator[str]:
    for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        kind = pdfium.FPDFAnnot_GetSubtype(annotation)
        if kind == pdfium.FPDF_ANNOT_WIDGET and form:
            value = _string(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation)
            name = _string(pdfium.FPDFAnnot_GetFormFieldAlternateName, form, annotation) or _string(
                pdfium.FPDFAnnot_GetFormFieldName, form, annotation
            )
            if value.strip():
                yield f"{name}: {value}" if name else value
        elif kind in COMMENTS:
            yield _string(pdfium.FPDFAnnot_GetStringValue, annotation, b"Contents")
        pdfium.FPDFPage_CloseAnnot(annotation)


def _string(function: object, *arguments: object) -> str:
    """Ask for the length, then for the UTF-16 text."""
    length = min(function(*arguments, None, 0), STRING_BYTES)  # type: ignore[operator]
    if length <= 2:
        return ""
    buffer = ctypes.create_string_buffer(length)
    function(*arguments, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), length)  # type: ignore[operator]
    return buffer.raw[: length - 2].decode("utf-16-le", "replace")


def _shows_something(page: pypdfium2.PdfPage) -> bool:
    """Whether there is a picture on a page without text, or a drawing that could be letters."""
    lines = 0
    for count, shape in enumerate(page.get_objects(max_depth=FORM_DEPTH)):
        if shape.type in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_TEXT):
            return True
        lines += shape.type == pdfium.FPDF_PAGEOBJ_PATH
        if lines >= DRAWN_LINES or count >= OBJECTS_LOOKED_AT:
            return True
    return False


def _titles(document: pypdfium2.PdfDocument) -> dict[int, str]:
    """For each page the path of the last entry of the outline that begins on it or before it."""
    begins: dict[int, str] = {}
    path: list[str] = []
    for count, item in enumerate(document.get_toc(max_depth=OUTLINE_DEPTH)):
        if count >= OUTLINE_ITEMS:
            break
        path[item.level :] = [cleaned(item.get_title())]
        target = item.get_dest()
        index = target.get_index() if target else None
        if index is not None:
            begins.setdefault(index + 1, markdown.shortened(markdown.SEPARATOR.join(filter(None, path))))
    titles, title = {}, ""
    for number in range(1, len(document) + 1):
        title = titles[number] = begins.get(number, title)
    return titles


def picture(data: bytes, password: str | None, number: int) -> bytes:
    """A page as a grey PNG for OCR, at 300 dots an inch where it is no poster."""
    with opened(data, password) as document:
        page = document[number - 1]
        width, height = page.get_size()
        scale = RESOLUTION / POINTS_PER_INCH
        scale = min(scale, (PICTURE_PIXELS / max(width * height, 1)) ** 0.5)
        out = io.BytesIO()
        page.render(scale=scale, grayscale=True).to_pil().save(out, "PNG", compress_level=1)
        return out.getvalue()
