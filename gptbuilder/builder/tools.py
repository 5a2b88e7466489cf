"""How the builder GPT writes the draft: its tools, given by settings.TOOL_PROVIDERS."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings

from gptbuilder.agent.tool import Tool, ToolFailure, ToolOutput
from gptbuilder.gateway import images
from gptbuilder.gateway.errors import GatewayError
from gptbuilder.gateway.types import Provider
from gptbuilder.gpts import drafts, pictures
from gptbuilder.gpts.models import GPT, Configuration, Draft, GPTVersion
from gptbuilder.tools import registry

PROMPT = (Path(__file__).parent / "prompt.md").read_text(encoding="utf-8")
OWN_WORDS = "What I asked for, in my words:"
STARTERS = {
    "type": "array",
    "items": {"type": "string", "maxLength": Configuration.STARTER_LENGTH},
    "maxItems": 4,
    "description": "Four things a user of the GPT would type, in the user's voice.",
}


def builder_tools(version: GPTVersion, context: registry.Context) -> registry.Equipment:
    """The builder's prompt with the present draft, and its tools on that draft.

    A model that cannot be trusted with tools writes the instructions in parts, because that gives better
    ones, and is made to write them in every turn; the person's own words are then kept beside them.
    """
    assert context.subject_id, "a builder conversation is about a GPT"
    draft = Draft.objects.select_related("gpt").get(gpt_id=context.subject_id)
    prompt = version.instructions or PROMPT
    system = f"{prompt}\n\nThe draft as it is now:\n{describe(draft)}"
    if not context.entry.tools:
        return registry.Equipment(system, (UpdateBehaviorInParts(context.subject_id, context.said),), "required")
    tools: list[Tool] = [UpdateBehavior(context.subject_id)]
    if settings.IMAGE_MODEL:
        tools.append(GenerateProfilePic(draft.gpt, context.entry.provider))
    return registry.Equipment(system, tuple(tools))


def describe(draft: Draft) -> str:
    """The draft in words, for the model."""
    starters = "\n".join(f"- {starter}" for starter in draft.starters) or "(none)"
    return (
        f"Name: {draft.name or '(none)'}\nDescription: {draft.description or '(none)'}\n"
        f"Picture: {'yes' if draft.picture_id else 'none'}\nStarters:\n{starters}\n"
        f"Instructions:\n{draft.instructions or '(none)'}"
    )


@dataclass(frozen=True)
class UpdateBehavior:
    """Writes fields of the draft. Doing it twice changes nothing the second time."""

    gpt_id: str
    name: str = "update_behavior"
    description: str = (
        "Write fields of the GPT's draft. Give only the fields that change; instructions always whole."
    )

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": Configuration.NAME_LENGTH},
                "description": {"type": "string", "maxLength": Configuration.DESCRIPTION_LENGTH},
                "instructions": {"type": "string", "description": "The GPT's complete instructions."},
                "starters": STARTERS,
            },
            "additionalProperties": False,
            "minProperties": 1,
        }

    def run(self, arguments: dict[str, Any]) -> ToolOutput:
        return _apply(self.gpt_id, arguments)


@dataclass(frozen=True)
class UpdateBehaviorInParts:
    """The same for a small model: instructions come as parts, and the person's own words are added to them."""

    gpt_id: str
    said: str
    name: str = "update_behavior"
    description: str = "Write the GPT's draft from what the person asked for."

    @property
    def parameters(self) -> dict[str, Any]:
        def lines(about: str) -> dict[str, Any]:
            return {"type": "array", "items": {"type": "string", "maxLength": 160}, "maxItems": 5, "description": about}

        return {
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": 30, "description": "A short name for the GPT."},
                "description": {"type": "string", "maxLength": 100, "description": "What it does, in one sentence."},
                "role": {"type": "string", "maxLength": 240, "description": "You are … Your goal is …"},
                "steps": lines("What it does, in order."),
                "tone": {"type": "string", "maxLength": 120, "description": "How it speaks."},
                "avoid": lines("What it never does."),
                "starters": {**STARTERS, "items": {"type": "string", "maxLength": 80}, "minItems": 3},
            },
            "required": ["name", "description", "role", "steps", "tone", "avoid", "starters"],
            "additionalProperties": False,
        }

    def run(self, arguments: dict[str, Any]) -> ToolOutput:
        draft = Draft.objects.get(gpt_id=self.gpt_id)
        values = {field: arguments[field] for field in ("description", "starters")}
        values["instructions"] = compose(arguments, own_words(draft.instructions, self.said))
        if not draft.name:
            values["name"] = arguments["name"]
        return _apply(self.gpt_id, values)


def compose(parts: dict[str, Any], words: list[str]) -> str:
    """Instructions from their parts, with the person's own words at the end."""
    paragraphs = [parts["role"].strip()]
    if parts["steps"]:
        paragraphs.append("\n".join(f"{number}. {step}" for number, step in enumerate(parts["steps"], 1)))
    if parts["tone"]:
        paragraphs.append(f"Tone: {parts['tone'].strip()}")
    if parts["avoid"]:
        paragraphs.append("Never:\n" + "\n".join(f"- {line}" for line in parts["avoid"]))
    paragraphs.append(OWN_WORDS + "\n" + "\n".join(f"> {word}" for word in words))
    return "\n\n".join(paragraphs)


def own_words(instructions: str, said: str) -> list[str]:
    """What the person asked for so far, kept in the instructions, and what they said now."""
    _, found, kept = instructions.partition(OWN_WORDS)
    words = [line[2:] for line in kept.split("\n") if line.startswith("> ")] if found else []
    now = " ".join(said.split())
    return [*words, now] if now not in words else words


@dataclass(frozen=True)
class GenerateProfilePic:
    """Draws the GPT's picture by the image endpoint."""

    gpt: GPT
    provider: Provider
    name: str = "generate_profile_pic"
    description: str = (
        "Draw the GPT's picture. It must read at 100 pixels: one simple subject, no words, no borders."
    )

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {"prompt": {"type": "string", "maxLength": 1000}},
            "required": ["prompt"],
            "additionalProperties": False,
        }

    def run(self, arguments: dict[str, Any]) -> ToolOutput:
        try:
            drawn = images.generate(self.provider, settings.IMAGE_MODEL, arguments["prompt"])
            picture = pictures.receive(self.gpt, BytesIO(drawn))
        except (GatewayError, pictures.PictureRefused) as error:
            raise ToolFailure(f"The picture could not be drawn: {error}") from error
        return _apply(self.gpt.pk, {"picture_id": picture.pk})


def _apply(gpt_id: str, values: dict[str, Any]) -> ToolOutput:
    changes = drafts.apply(gpt_id, values)
    named = ", ".join(change.field.removesuffix("_id") for change in changes)
    return ToolOutput(
        f"Changed: {named}." if changes else "Nothing changed: the draft was like that already.",
        data={
            "changes": [
                {"field": change.field, "before": change.before, "after": change.after} for change in changes
            ]
        },
    )
