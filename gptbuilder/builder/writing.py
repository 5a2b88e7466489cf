"""What the builder's tools share: writing the draft and naming what changed."""

from __future__ import annotations

from typing import Any

from gptbuilder.agent.tool import ToolOutput
from gptbuilder.gpts import drafts
from gptbuilder.gpts.models import Draft


def apply(gpt_id: str, values: dict[str, Any]) -> ToolOutput:
    """Write these fields of the draft; `data` lists the changes for the page."""
    changes = drafts.apply(gpt_id, values)
    named = ", ".join(change.field.removesuffix("_id") for change in changes)
    return ToolOutput(
        f"Changed: {named}." if changes else "Nothing changed: the draft was like that already.",
        data={
            "changes": [{"field": change.field, "before": change.before, "after": change.after} for change in changes]
        },
    )


def describe(draft: Draft) -> str:
    """The draft in words, for the model."""
    starters = "\n".join(f"- {starter}" for starter in draft.starters) or "(none)"
    return (
        f"Name: {draft.name or '(none)'}\nDescription: {draft.description or '(none)'}\n"
        f"Picture: {'yes' if draft.picture_id else 'none'}\nStarters:\n{starters}\n"
        f"Instructions:\n{draft.instructions or '(none)'}"
    )
