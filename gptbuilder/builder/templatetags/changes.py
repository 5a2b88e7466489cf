"""What a run of the builder changed, for templates."""

from __future__ import annotations

from django import template

from gptbuilder.builder import diffs
from gptbuilder.conversations.models.run import Run

register = template.Library()


@register.filter
def field_diffs(run: Run) -> list[diffs.FieldDiff]:
    """The changes of all tool steps of this run. Reads `run.steps.all()`."""
    changes = [change for step in run.steps.all() for change in (step.data or {}).get("changes", [])]
    return diffs.field_diffs(changes)
