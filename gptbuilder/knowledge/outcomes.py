"""What came of reading a file, in sentences that say what happened and what to do."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from gptbuilder.knowledge.extraction import Extraction

SENTENCES: dict[str, Promise] = {
    "ok": _("The file was read."),
    "needs_password": _("The file needs a password. Enter it, or upload a copy without one."),
    "wrong_password": _("The password does not open the file. Enter it again, or upload a copy without one."),
    "no_text_layer": _(
        "The file has no text layer: it shows pictures of text, as a scanner or a camera makes them. Upload a copy "
        "with recognised text (most scanners and PDF programs can make one)."
    ),
    "empty": _("There is no text in the file. Check whether it is the right one."),
    "broken": _("The file is damaged and cannot be read. Open it where it was made, save it again and upload that."),
    "wrong_extension": _(
        "The file is not what its name says. Give it the ending of what it is (.txt for plain text) and upload it "
        "again."
    ),
    "unsupported": _(
        "Files of this kind cannot be read. Save it as PDF, a Word, Excel or PowerPoint file, OpenDocument, HTML or "
        "plain text; unpack an archive and upload its files; take off copy protection."
    ),
    "not_safe": _(
        "The file is built in a way that overwhelms whoever opens it, so it was not read. If it is yours, save it anew "
        "and upload that."
    ),
    "too_large": _("There is too much in the file to read it in one piece. Split it and upload the parts."),
    "too_slow": _("Reading the file took too long. Split it, or save it as PDF or plain text, and upload that."),
    "no_cage": _(
        "Only plain text (UTF-8) is read on this server, because it cannot shut other readers in. Save the file as text"
        " and upload that. The operator finds the reason with manage.py sandbox_doctor."
    ),
}


def sentence(outcome: str) -> str:
    """For the person. A word that is not known, as an older row may hold, reads as damage."""
    return str(SENTENCES.get(outcome, SENTENCES["broken"]))


def message(extraction: Extraction) -> str:
    """The sentence, and how many pages of a file that was read are pictures without text."""
    text = sentence(extraction.outcome)
    if extraction.outcome == "ok" and (count := len(extraction.unread)):
        text += " " + ngettext(
            "%(count)d page is a picture without a text layer and was left out.",
            "%(count)d pages are pictures without a text layer and were left out.",
            count,
        ) % {"count": count}
    return text
