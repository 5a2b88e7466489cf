"""Taking back what one turn of the builder changed, and bringing it again. The draft itself says which is possible."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from gptbuilder.builder import diffs
from gptbuilder.conversations.models.run import Run
from gptbuilder.gpts import drafts
from gptbuilder.gpts.drafts import Change
from gptbuilder.gpts.models import Draft


class State(StrEnum):
    """What a turn is to the draft as it stands: in it, taken back, or overtaken by later changes."""

    DONE = "done"
    UNDONE = "undone"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True)
class Reverted:
    """Which fields came back, and which stayed because they have changed since."""

    fields: list[str]
    left: list[str]


def changes(run: Run) -> list[Change]:
    """What the whole turn changed, one change a field. Reads `run.steps.all()`."""
    found = [change for step in run.steps.all() for change in (step.data or {}).get("changes", [])]
    known = [change for change in diffs.merged(found) if change["field"] in Draft.FIELDS]
    return [Change(change["field"], change["before"], change["after"]) for change in known]


def locked(run: Run) -> list[str]:
    """The fields that the turn left alone because they were locked."""
    return [field for step in run.steps.all() for field in (step.data or {}).get("locked", [])]


def state(run: Run, draft: Draft) -> State:
    now = draft.configuration()
    if any(now[change.field] == change.after for change in changes(run)):
        return State.DONE
    undone = any(now[change.field] == change.before for change in changes(run))
    return State.UNDONE if undone else State.OVERTAKEN


def undo(run: Run) -> Reverted:
    """Bring back what stood there before the turn. Safe to call twice."""
    return _exchange(run, [Change(change.field, change.after, change.before) for change in changes(run)])


def redo(run: Run) -> Reverted:
    """Write again what the turn wrote. Safe to call twice."""
    return _exchange(run, changes(run))


def sentence(reverted: Reverted, *, undone: bool) -> str:
    """What happened, for the person."""
    left = _("Changed since, so left as it is: %(fields)s.") % {"fields": _named(reverted.left)}
    if reverted.fields:
        words = _("Undone: %(fields)s.") if undone else _("Brought back: %(fields)s.")
        said = words % {"fields": _named(reverted.fields)}
        return f"{said} {left}" if reverted.left else said
    if reverted.left:
        return capfirst(left)
    return _("This turn is undone already.") if undone else _("This turn is in the draft already.")


def _exchange(run: Run, wanted: list[Change]) -> Reverted:
    subject = run.thread.subject_id
    if subject is None:
        raise ValueError("only a turn of the builder changes a draft")
    written, left = drafts.exchange(subject, wanted)
    return Reverted([change.field for change in written], left)


def _named(fields: Iterable[str]) -> str:
    chosen = list(fields)
    return diffs.listed(label for field, label in diffs.LABELS.items() if field in chosen)
