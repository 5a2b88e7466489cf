"""What the builder's tools share: writing the draft, naming what changed and what the person has locked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gptbuilder.agent.tool import ToolOutput
from gptbuilder.gpts import drafts
from gptbuilder.gpts.models import Draft


def apply(gpt_id: str, values: dict[str, Any]) -> ToolOutput:
    """Write these fields of the draft, except those that are locked; `data` lists both for the page."""
    changes, locked = drafts.apply_unlocked(gpt_id, values)
    said = [f"Changed: {_named(change.field for change in changes)}."] if changes else []
    if locked:
        said.append(f"{_locked(locked)} Tell the person.")
    return ToolOutput(
        " ".join(said) or "Nothing changed: the draft was like that already.",
        data={
            "changes": [{"field": change.field, "before": change.before, "after": change.after} for change in changes],
            "locked": locked,
        },
    )


def describe(draft: Draft) -> str:
    """The draft in words, for the model."""
    starters = "\n".join(f"- {starter}" for starter in draft.starters) or "(none)"
    locks = f"\n{_locked(draft.locked_fields)}" if draft.locked_fields else ""
    files = f"\nKnowledge files: {', '.join(entry['name'] for entry in draft.files)}" if draft.files else ""
    return (
        f"Name: {draft.name or '(none)'}\nDescription: {draft.description or '(none)'}\n"
        f"Picture: {'yes' if draft.picture_id else 'none'}\nStarters:\n{starters}\n"
        f"Instructions:\n{draft.instructions or '(none)'}{files}{locks}"
    )


def _locked(fields: Iterable[str]) -> str:
    return f"Locked by the person, so these stay as they are: {_named(fields)}."


def _named(fields: Iterable[str]) -> str:
    return ", ".join(field.removesuffix("_id") for field in fields)
