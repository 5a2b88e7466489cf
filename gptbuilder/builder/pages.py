"""What the parts of the builder's page are given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts.models import User
from gptbuilder.accounts.requests import MemberRequest
from gptbuilder.builder import checklist, diffs
from gptbuilder.conversations import pages
from gptbuilder.conversations.models.thread import Thread, ThreadQuerySet
from gptbuilder.gpts import builtin, deleting, pictures
from gptbuilder.gpts.models import GPT, Draft, GPTQuerySet, GPTVersion
from gptbuilder.providers import entries
from gptbuilder.tools import models
from gptbuilder.web.ready import Ready


@dataclass(frozen=True)
class Line:
    """A GPT of one's own as its maker sees it: by its draft."""

    gpt: GPT
    draft: Draft

    @property
    def name(self) -> str:
        return str(self.draft)

    @property
    def picture(self) -> str:
        return pictures.url(self.draft, self.gpt.pk)


@dataclass(frozen=True)
class Bar(Line):
    """The state of a draft against what others use."""

    @property
    def is_published(self) -> bool:
        return self.gpt.live_version_id is not None

    @property
    def audience(self) -> str:
        return str(GPT.Audience(self.gpt.audience).label)

    @property
    def has_changes(self) -> bool:
        """Whether publishing would change what others use."""
        live = self.gpt.live_version
        return live is None or live.digest_sha256 != self.draft.digest()

    @property
    def models(self) -> tuple[entries.Offer, ...]:
        """The models a builder may recommend, the default first; none when there is no choice."""
        offers = entries.offers()
        return offers if len(offers) > 1 or self.draft.model else ()

    @property
    def lost_model(self) -> str:
        """The model the draft recommends though it is no longer offered."""
        offered = {offer.entry.name for offer in entries.offers()}
        return "" if self.draft.model in offered else self.draft.model


@dataclass(frozen=True)
class Deleted(Line):
    """A GPT that was deleted and can be brought back until a day."""

    @property
    def gone_at(self) -> datetime | None:
        return self.gpt.deleted_at and self.gpt.deleted_at + timedelta(days=deleting.KEPT_DAYS)


@dataclass(frozen=True)
class VersionLine:
    """A published version, with the names of the fields it changed."""

    version: GPTVersion
    changed: list[Any]
    is_live: bool
    is_draft: bool


def editable(request: MemberRequest, gpt_id: str) -> GPT:
    """The GPT with draft and live version, or 404."""
    gpt = EDITABLE.first(request.person.pk, gpt_id)
    if gpt is None:
        raise Http404
    return gpt


def bar(gpt: GPT) -> Bar:
    return Bar(gpt, gpt.draft)


def builder_thread(person: User, gpt: GPT) -> Thread | None:
    """The latest builder conversation about this GPT."""
    return BUILDER.first(person.pk, gpt.pk)


def preview_thread(person: User, gpt: GPT) -> Thread | None:
    return PREVIEW.first(person.pk, gpt.pk)


def builder_pane(person: User, gpt: GPT) -> pages.Pane:
    """The conversation with the builder. The face is the builder's own; `gpt` is what it is about."""
    builder = builtin.builder_gpt()
    thread = builder_thread(person, gpt)
    return pages.Pane(
        key="builder",
        gpt=builder,
        face=builder.live_version,
        post_url=reverse("builder:messages", args=[gpt.pk]),
        refresh_url=reverse("builder:conversation", args=[gpt.pk]),
        channel=f"builder:{gpt.pk}",
        thread=thread,
        lines=pages.lines(thread) if thread else [],
        stage="builder/_greeting_again.html" if gpt.draft.instructions and not thread else "builder/_greeting.html",
        label=_("Conversation with the builder"),
        placeholder=_("Describe a change…") if thread or gpt.draft.instructions else _("Describe what it should do…"),
        queued=pages.waiting(thread) if thread else (),
        takes_images=models.entry().vision,
    )


def preview_pane(person: User, gpt: GPT) -> pages.Pane:
    thread = preview_thread(person, gpt)
    return pages.Pane(
        key="preview",
        gpt=gpt,
        face=gpt.draft,
        post_url=reverse("builder:preview_messages", args=[gpt.pk]),
        refresh_url=reverse("builder:preview_conversation", args=[gpt.pk]),
        channel=f"preview:{gpt.pk}",
        thread=thread,
        lines=pages.lines(thread) if thread else [],
        stage="builder/_face.html",
        label=_("Conversation with the draft"),
        placeholder=_("Try the draft"),
        queued=pages.waiting(thread) if thread else (),
        takes_images=pages.sees(gpt.draft),
        takes_files=True,
        note=_("Runs the draft as it is now. Nobody else sees these chats."),
    )


def history(gpt: GPT) -> list[VersionLine]:
    """The published versions, newest first. One query."""
    versions = list(gpt.versions.exclude(number=None).select_related("published_by").order_by("number"))
    digest = gpt.draft.digest()
    found = []
    for before, version in zip([None, *versions], versions, strict=False):
        changed = diffs.changed_fields(before.configuration() if before else None, version.configuration())
        live, same = version.pk == gpt.live_version_id, version.digest_sha256 == digest
        found.append(VersionLine(version, changed, live, same))
    return found[::-1]


def unpublished(gpt: GPT) -> list[Any]:
    """The names of the fields in which the draft differs from what others use."""
    live = gpt.live_version
    return diffs.changed_fields(live.configuration() if live else None, gpt.draft.configuration())


def publishing(request: MemberRequest, gpt: GPT) -> dict[str, Any]:
    """The context of `builder/_publish.html`, and of what surrounds it."""
    return {**surroundings(request, gpt), "checks": checklist.checks(gpt, request.person)}


def draft_changed(request: MemberRequest, gpt: GPT, status: int = 200, **more: object) -> HttpResponse:
    """The parts that show the draft: its line in the bar, its face in the preview. `problems`: by field of the form."""
    return render(
        request, "builder/_draft.html", {"bar": bar(gpt), "gpt": gpt, **face(request, gpt), **more}, status=status
    )


def face(request: MemberRequest, gpt: GPT) -> dict[str, Any]:
    """The context of `builder/_face.html`."""
    thread = preview_thread(request.person, gpt)
    return {
        "gpt": gpt,
        "face": gpt.draft,
        "picture": pictures.url(gpt.draft, gpt.pk),
        "begun": bool(thread and thread.head_id),
    }


def surroundings(request: MemberRequest, gpt: GPT) -> dict[str, Any]:
    """What the bar, the menus and the preview's face need. `link` is the whole address to hand on."""
    link = reverse("conversations:link", args=[gpt.link_token]) if gpt.link_token else ""
    address = request.build_absolute_uri(link) if link else ""
    return {"gpt": gpt, "bar": bar(gpt), "link": address, **face(request, gpt)}


def _latest(person_id: str, **about: str) -> ThreadQuerySet:
    beside = ("workspace", "gpt__draft", "gpt__live_version", "subject__draft", "head")
    return Thread.objects.of(User(pk=person_id)).filter(**about).select_related(*beside).order_by("-id")[:1]


def _editable(person_id: str, gpt_id: str) -> GPTQuerySet:
    mine = GPT.objects.editable_by(User(pk=person_id))
    return mine.filter(pk=gpt_id).select_related("draft", "live_version", "owner")


EDITABLE = Ready(_editable, str, str)
BUILDER = Ready(
    lambda person_id, gpt_id: _latest(person_id, purpose=Thread.Purpose.BUILDER, subject_id=gpt_id), str, str
)
PREVIEW = Ready(lambda person_id, gpt_id: _latest(person_id, purpose=Thread.Purpose.PREVIEW, gpt_id=gpt_id), str, str)
