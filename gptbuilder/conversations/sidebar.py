"""What stands in the sidebar of the chat page: the GPTs a person made or used, and their chats by day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Max, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts.models import User
from gptbuilder.conversations import faces
from gptbuilder.conversations.models.thread import Thread, ThreadQuerySet
from gptbuilder.gpts import pictures
from gptbuilder.gpts.models import GPT, GPTQuerySet
from gptbuilder.web.ready import Ready

GPTS_MOST = 8
CHATS_MOST = 100
TODAY = _("Today")


@dataclass(frozen=True)
class Shortcut:
    """A GPT one may talk to, as a line."""

    gpt_id: str
    name: str
    picture: str


@dataclass(frozen=True)
class Group:
    """Chats of one part of the past."""

    label: str | Promise
    threads: list[Thread]

    @property
    def is_today(self) -> bool:
        return self.label is TODAY


@dataclass(frozen=True)
class Sidebar:
    """`older_before` names the last chat shown when there are more, and is empty otherwise. Today is always there:
    what begins later is put into it."""

    shortcuts: list[Shortcut]
    groups: list[Group]
    older_before: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.shortcuts and not any(group.threads for group in self.groups)


def sidebar(person: User, now: datetime) -> Sidebar:
    """Two queries. GPTs: the last used first. Chats: the newest CHATS_MOST."""
    groups, older_before = chats(person, now)
    if not groups or not groups[0].is_today:
        groups.insert(0, Group(TODAY, []))
    return Sidebar([shortcut(gpt) for gpt in LAST_USED.rows(person.pk)], groups, older_before)


def chats(person: User, now: datetime, before: Thread | None = None) -> tuple[list[Group], str]:
    """The newest chats, or those older than `before`; and the id of the last one when there are more."""
    found = OLDER.rows(person.pk, before.updated_at) if before else NEWEST.rows(person.pk)
    shown = found[:CHATS_MOST]
    return grouped(shown, timezone.localtime(now).date()), shown[-1].pk if len(found) > CHATS_MOST else ""


def grouped(threads: Iterable[Thread], today: date) -> list[Group]:
    """Threads, newest first, as Today, Yesterday, Last week (seven days) and Older; empty groups are left out."""
    groups = [Group(TODAY, []), Group(_("Yesterday"), []), Group(_("Last week"), []), Group(_("Older"), [])]
    for thread in threads:
        day = timezone.localtime(thread.updated_at).date()
        if day >= today:
            groups[0].threads.append(thread)
        elif day == today - timedelta(days=1):
            groups[1].threads.append(thread)
        elif day >= today - timedelta(days=7):
            groups[2].threads.append(thread)
        else:
            groups[3].threads.append(thread)
    return [group for group in groups if group.threads]


def shortcut(gpt: GPT) -> Shortcut:
    """No query, for a GPT with its draft and live version."""
    return Shortcut(gpt.pk, faces.face(gpt).name, pictures.url(faces.face(gpt), gpt.pk))


def _chats_of(person_id: str) -> ThreadQuerySet:
    shown = Thread.objects.of(User(pk=person_id)).chats().filter(archived_at=None).exclude(head=None)
    return shown.only("title", "updated_at")


def _last_used(person_id: str) -> GPTQuerySet:
    person = User(pk=person_id)
    mine = Q(threads__owner=person, threads__purpose=Thread.Purpose.CHAT)
    return (
        GPT.objects.usable_by(person)
        .filter(builtin=None)
        .select_related("draft", "live_version")
        .only(*(f"{face}__{field}" for face in ("draft", "live_version") for field in ("name", "picture")))
        .annotate(used_at=Coalesce(Max("threads__updated_at", filter=mine), "updated_at"))
        .order_by("-used_at")[:GPTS_MOST]
    )


NEWEST = Ready(lambda person_id: _chats_of(person_id)[: CHATS_MOST + 1], str)
OLDER = Ready(
    lambda person_id, before: _chats_of(person_id).filter(updated_at__lt=before)[: CHATS_MOST + 1], str, datetime
)
LAST_USED = Ready(_last_used, str)
