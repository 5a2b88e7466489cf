"""What is still missing before a GPT is published. Only the name is required."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts.models import User
from gptbuilder.conversations.models.run import Run, RunQuerySet
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts.models import GPT
from gptbuilder.web.ready import Ready


@dataclass(frozen=True)
class Check:
    """One line: what it is about, why it matters while it is missing, and where to do it."""

    label: str | Promise
    reason: str | Promise
    is_done: bool
    place: str
    is_required: bool = False


def checks(gpt: GPT, person: User) -> list[Check]:
    """In the order of the form. One query."""
    draft, form = gpt.draft, reverse("builder:configure", args=[gpt.pk])
    return [
        Check(_("A name"), _("It is what others see."), bool(draft.name), f"{form}#name", is_required=True),
        Check(
            _("A description"), _("It says in a sentence what it is for."), bool(draft.description),
            f"{form}#description",
        ),
        Check(
            _("Instructions"), _("Without them it answers like any other."), bool(draft.instructions),
            f"{form}#instructions",
        ),
        Check(
            _("A picture of its own"), _("Until then one is drawn from its name."), draft.picture_id is not None,
            f"{form}#picture-file",
        ),
        Check(
            _("A conversation starter"), _("It shows others how to begin."), bool(draft.starters), f"{form}#add-starter"
        ),
        Check(
            _("Tried in the preview"), _("It has not answered since the last change."), is_tried(gpt, person),
            "#preview",
        ),
    ]  # fmt: skip


def is_tried(gpt: GPT, person: User) -> bool:
    """Whether the draft, exactly as it is now, has answered this person in the preview."""
    return TRIED.first(person.pk, gpt.pk, gpt.draft.digest()) is not None


def _tried(person_id: str, gpt_id: str, digest: str) -> RunQuerySet:
    tried = Run.objects.of(User(pk=person_id)).filter(thread__purpose=Thread.Purpose.PREVIEW)
    same = tried.filter(version__gpt=gpt_id, version__digest_sha256=digest)
    return same.filter(status=Run.Status.COMPLETED).only("pk")[:1]


TRIED = Ready(_tried, str, str, str)
