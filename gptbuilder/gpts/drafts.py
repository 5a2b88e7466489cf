"""Changing a draft: by the form, by the builder, by restoring a version; locking its fields against the builder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from gptbuilder.accounts.models import User
from gptbuilder.gpts.models import GPT, Configuration, Draft
from gptbuilder.workspaces.models import Workspace


@dataclass(frozen=True)
class Change:
    """One field of a draft, before and after."""

    field: str
    before: Any
    after: Any


def create(owner: User) -> GPT:
    """A new GPT with an empty draft, in the owner's personal workspace."""
    with transaction.atomic():
        gpt = GPT.objects.create(owner=owner, workspace=Workspace.objects.personal(owner))
        Draft.objects.create(gpt=gpt)
    return gpt


def apply(gpt_id: str, values: dict[str, Any]) -> list[Change]:
    """Write these fields of the draft and say what changed; fields that are equal already do not count.

    Locks the draft's row, so that a builder turn and the form cannot lose each other's fields.
    Values are cut to what the fields hold. Calling twice changes nothing the second time.
    """
    with transaction.atomic():
        draft = Draft.objects.select_for_update().get(gpt_id=gpt_id)
        changes = [
            Change(field, getattr(draft, field), value)
            for field, value in fitted(values).items()
            if getattr(draft, field) != value
        ]
        if changes:
            for change in changes:
                setattr(draft, change.field, change.after)
            draft.revision += 1
            draft.save()
            GPT.objects.filter(pk=gpt_id).update(updated_at=draft.updated_at)
    return changes


def apply_unlocked(gpt_id: str, values: dict[str, Any]) -> tuple[list[Change], list[str]]:
    """Like `apply`, but fields that the person locked stay; also gives those of them that would have changed."""
    with transaction.atomic():
        draft = Draft.objects.select_for_update().get(gpt_id=gpt_id)
        locked = {field: value for field, value in fitted(values).items() if field in draft.locked_fields}
        changes = apply(gpt_id, {field: value for field, value in values.items() if field not in locked})
    return changes, [field for field, value in locked.items() if getattr(draft, field) != value]


def exchange(gpt_id: str, changes: Iterable[Change]) -> tuple[list[Change], list[str]]:
    """Write `after` into each field that still has `before`; also gives the fields that have become something else.

    Fields that have `after` already count as neither, so calling twice is the same as once.
    """
    with transaction.atomic():
        draft = Draft.objects.select_for_update().get(gpt_id=gpt_id)
        now = draft.configuration()
        wanted = [change for change in changes if now[change.field] != change.after]
        possible = {change.field: change.after for change in wanted if now[change.field] == change.before}
        written = apply(gpt_id, possible)
    return written, [change.field for change in wanted if change.field not in possible]


def lock(gpt_id: str, field: str) -> None:
    """Keep the builder from changing this field."""
    _set_locked(gpt_id, field, locked=True)


def unlock(gpt_id: str, field: str) -> None:
    _set_locked(gpt_id, field, locked=False)


def _set_locked(gpt_id: str, field: str, *, locked: bool) -> None:
    with transaction.atomic():
        draft = Draft.objects.select_for_update().get(gpt_id=gpt_id)
        rest = set(draft.locked_fields) - {field}
        draft.locked_fields = sorted(rest | {field} if locked else rest)
        draft.save(update_fields=["locked_fields"])


def fitted(values: dict[str, Any]) -> dict[str, Any]:
    """The values, cleaned and cut to the lengths of the fields. Unknown fields are an error of the caller."""
    fitting = dict(values)
    lengths = {
        "name": Configuration.NAME_LENGTH,
        "description": Configuration.DESCRIPTION_LENGTH,
        "instructions": Configuration.INSTRUCTIONS_LENGTH,
    }
    for field, length in lengths.items():
        if field in fitting:
            text = fitting[field].replace("\x00", "").replace("\r\n", "\n").strip()
            fitting[field] = (text if field == "instructions" else " ".join(text.split()))[:length]
    if "starters" in fitting:
        starters = [
            " ".join(text.replace("\x00", "").split())[: Configuration.STARTER_LENGTH] for text in fitting["starters"]
        ]
        fitting["starters"] = [text for text in dict.fromkeys(starters) if text][: Configuration.STARTERS_MOST]
    if "model" in fitting:
        fitting["model"] = fitting["model"].replace("\x00", "").strip()[:200]
    unknown = set(fitting) - set(Configuration.FIELDS)
    if unknown:
        raise ValueError(f"not fields of a draft: {', '.join(sorted(unknown))}")
    return fitting
