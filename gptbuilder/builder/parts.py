"""How a small model writes the draft: all of it at once, in parts, in one call bound to a schema.

Small models write better instructions as role, steps, tone and limits than as one text, but drop details: the
person's own words are therefore kept in the instructions, turn by turn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop

from gptbuilder.agent.tool import ToolOutput
from gptbuilder.builder import writing
from gptbuilder.gpts.models import Draft

# What to do, an example in English, an example in Chinese. A small model reads slowly: it gets one of them.
PROMPT, ENGLISH_EXAMPLE, CHINESE_EXAMPLE = (
    (Path(__file__).parent / "prompt_parts.md").read_text(encoding="utf-8").split("---\n")
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
RENAMING = re.compile(r"\b(name|rename|call|title)\b|名|叫", re.IGNORECASE)


@dataclass(frozen=True)
class Words:
    """The words between the parts, in the person's language."""

    tone: str
    never: str
    own_words: str


ENGLISH_WORDS = Words("Tone: ", "Never:", "What I was made for, in my maker's words:")
CHINESE_WORDS = Words("语气：", "绝不：", "制作者的原话：")


def _texts(length: int, fewest: int, most: int) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", "maxLength": length}, "minItems": fewest, "maxItems": most}


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 30},
        "description": {"type": "string", "maxLength": 120},
        "role": {"type": "string", "maxLength": 240},
        "steps": _texts(140, 2, 4),
        "tone": {"type": "string", "maxLength": 80},
        "avoid": _texts(120, 1, 3),
        "starters": _texts(80, 4, 4),
        "reply": {"type": "string", "maxLength": 200},
    },
    "required": ["name", "description", "role", "steps", "tone", "avoid", "starters", "reply"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class UpdateBehaviorInParts:
    """Writes the draft from its parts; its `reply` is the builder's answer, so the model is asked once a turn.

    A name stays unless the person speaks of it. `said` is what the person said in this turn.
    """

    gpt_id: str
    said: str
    name: str = "update_behavior"
    label: str = gettext_noop("Writing the draft")
    description: str = "Write the settings of the assistant the person wants, as in the examples."

    @property
    def parameters(self) -> dict[str, Any]:
        return SCHEMA

    def run(self, arguments: dict[str, Any], call_id: str) -> ToolOutput:
        draft = Draft.objects.get(gpt_id=self.gpt_id)
        values = {field: arguments[field] for field in ("description", "starters")}
        values["instructions"] = compose(arguments, own_words(draft.instructions, self.said))
        if not draft.name or RENAMING.search(self.said):
            values["name"] = arguments["name"]
        written = writing.apply(self.gpt_id, values)
        return ToolOutput(arguments["reply"].strip() or written.text, data=written.data, is_final=True)


def system_text(draft: Draft, said: str) -> str:
    """The prompt with an example in the person's language, and the settings as they are now once there are any."""
    prompt = PROMPT + (CHINESE_EXAMPLE if CHINESE.search(said + draft.instructions) else ENGLISH_EXAMPLE)
    if not draft.instructions:
        return prompt
    return f"{prompt}\nThe settings as they are now:\n{writing.describe(draft)}"


def compose(parts: dict[str, Any], own: list[str]) -> str:
    """Instructions from their parts, with the person's own words at the end."""
    words = CHINESE_WORDS if any(CHINESE.search(line) for line in own) else ENGLISH_WORDS
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(parts["steps"], 1))
    never = "\n".join(f"- {line}" for line in parts["avoid"])
    kept = "\n".join(f"> {line}" for line in own)
    return "\n\n".join(
        [
            parts["role"].strip(),
            steps,
            f"{words.tone}{parts['tone'].strip()}",
            f"{words.never}\n{never}",
            f"{words.own_words}\n{kept}",
        ]
    )


def own_words(instructions: str, said: str) -> list[str]:
    """What the person asked for in earlier turns, as the instructions keep it, and what they say now."""
    kept: list[str] = []
    for words in (ENGLISH_WORDS, CHINESE_WORDS):
        _, found, after = instructions.partition(words.own_words)
        if found:
            kept = [line[2:] for line in after.split("\n") if line.startswith("> ")]
    now = " ".join(said.split())
    return kept if now in kept else [*kept, now]
