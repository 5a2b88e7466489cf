"""How far a file is, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gptbuilder.knowledge import embedding, outcomes
from gptbuilder.knowledge.models import Content, KnowledgeFile

State = Content.State


@dataclass(frozen=True)
class Progress:
    """`tone` is busy, ready, words, failed or erased; `done` of `total` passages have their vectors. A file that
    `wants_password` has a field for it."""

    tone: str
    sentence: str
    done: int = 0
    total: int = 0
    wants_password: bool = False

    @property
    def is_moving(self) -> bool:
        """Whether to look again in a moment."""
        return self.tone == "busy" or bool(self.total)


def of(file: KnowledgeFile | None) -> Progress:
    """Expects the file with its content."""
    content = file.content if file else None
    if content is None:
        return Progress("erased", _("This file was erased. It cannot come back."))
    if content.state == State.FAILED:
        locked = content.outcome in ("needs_password", "wrong_password")
        return Progress("failed", outcomes.sentence(content.outcome), wants_password=locked)
    if content.state == State.UPLOADED:
        return Progress("busy", _("Uploaded. It will be read in a moment."))
    if content.state == State.READING:
        return Progress("busy", _("Being read…"))
    if content.state == State.READY:
        return Progress("ready", _("Ready · %(extent)s") % {"extent": extent(content)})
    if not embedding.is_configured():
        return Progress("words", _("Searchable by words · %(extent)s") % {"extent": extent(content)})
    if content.embedding_error:
        return Progress("words", _("Searchable by words. The model that finds by meaning does not answer now."))
    sentence = _("Searchable by words. Meaning: %(done)d of %(total)d passages.") % {
        "done": content.embedded_count,
        "total": content.passage_count,
    }
    return Progress("words", sentence, content.embedded_count, content.passage_count)


def extent(content: Content) -> str:
    """How much there is: pages, slides or sheets where the file has them, else passages."""
    count = content.section_count
    if content.kind == "pdf":
        return ngettext("%(count)d page", "%(count)d pages", count) % {"count": count}
    if content.kind in ("pptx", "ppt", "odp"):
        return ngettext("%(count)d slide", "%(count)d slides", count) % {"count": count}
    count = content.passage_count
    return ngettext("%(count)d passage", "%(count)d passages", count) % {"count": count}
