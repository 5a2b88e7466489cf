"""What a run of the builder changed, for templates."""

from __future__ import annotations

from django import template

from gptbuilder.builder import diffs, reverting
from gptbuilder.conversations.models.run import Run

register = template.Library()


@register.filter
def field_diffs(run: Run) -> list[diffs.FieldDiff]:
    """The changes of all tool steps of this run. Reads `run.steps.all()`."""
    changes = [change for step in run.steps.all() for change in (step.data or {}).get("changes", [])]
    return diffs.field_diffs(changes)


@register.filter
def locked_sentence(run: Run) -> str:
    """What the turn left alone because the person locked it. Reads `run.steps.all()`."""
    return diffs.locked_sentence(reverting.locked(run))


@register.filter
def turn_state(run: Run) -> str:
    """Whether the draft still has what this turn wrote. Reads `run.steps.all()` and `run.thread.subject.draft`."""
    subject = run.thread.subject
    return reverting.state(run, subject.draft) if subject else ""
