"""How the builder GPT writes the draft: its tools, given by settings.TOOL_PROVIDERS."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from gptbuilder.agent.tool import Tool, ToolFailure, ToolOutput
from gptbuilder.builder import parts, writing
from gptbuilder.gateway import images
from gptbuilder.gateway.errors import GatewayError
from gptbuilder.gateway.types import Provider
from gptbuilder.gpts import pictures
from gptbuilder.gpts.models import GPT, Configuration, Draft, GPTVersion
from gptbuilder.tools import registry
from gptbuilder.web.images import PictureRefused

PROMPT = (Path(__file__).parent / "prompt.md").read_text(encoding="utf-8")


def builder_tools(version: GPTVersion, context: registry.Context) -> registry.Equipment:
    """The builder's prompt with the present draft, and its tools on that draft.

    A model that cannot be trusted with tools writes the whole draft in every turn, by `parts`. The operator's
    own instructions of the builder GPT, if there are any, replace the prompt for the others.
    """
    if context.subject_id is None:
        raise ValueError("a builder conversation is about a GPT")
    draft = Draft.objects.select_related("gpt").get(gpt_id=context.subject_id)
    if not context.entry.tools:
        tool = parts.UpdateBehaviorInParts(context.subject_id, context.said)
        return registry.Equipment(parts.system_text(draft, context.said), (tool,), "required")
    tools: list[Tool] = [UpdateBehavior(context.subject_id)]
    if settings.IMAGE_MODEL:
        tools.append(GenerateProfilePic(draft.gpt, context.entry.provider))
    system = f"{version.instructions or PROMPT}\n\nThe draft as it is now:\n{writing.describe(draft)}"
    return registry.Equipment(system, tuple(tools))


@dataclass(frozen=True)
class UpdateBehavior:
    """Writes fields of the draft. Doing it twice changes nothing the second time."""

    gpt_id: str
    name: str = "update_behavior"
    label: str = gettext_noop("Writing the draft")
    description: str = "Write fields of the GPT's draft. Give only the fields that change; instructions always whole."

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": Configuration.NAME_LENGTH},
                "description": {"type": "string", "maxLength": Configuration.DESCRIPTION_LENGTH},
                "instructions": {"type": "string", "description": "The GPT's complete instructions."},
                "starters": {
                    "type": "array",
                    "items": {"type": "string", "maxLength": Configuration.STARTER_LENGTH},
                    "maxItems": 4,
                    "description": "Four things a user of the GPT would type, in the user's voice.",
                },
            },
            "additionalProperties": False,
            "minProperties": 1,
        }

    def run(self, arguments: dict[str, Any], call_id: str) -> ToolOutput:
        return writing.apply(self.gpt_id, arguments)


@dataclass(frozen=True)
class GenerateProfilePic:
    """Draws the GPT's picture by the image endpoint."""

    gpt: GPT
    provider: Provider
    name: str = "generate_profile_pic"
    label: str = gettext_noop("Drawing a picture")
    description: str = "Draw the GPT's picture. It must read at 100 pixels: one simple subject, no words, no borders."

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {"prompt": {"type": "string", "maxLength": 1000}},
            "required": ["prompt"],
            "additionalProperties": False,
        }

    def run(self, arguments: dict[str, Any], call_id: str) -> ToolOutput:
        if Draft.objects.filter(gpt=self.gpt, locked_fields__contains=["picture_id"]).exists():
            return ToolOutput("The person locked the picture. Nothing was drawn.", data={"locked": ["picture_id"]})
        try:
            drawn = images.generate(self.provider, settings.IMAGE_MODEL, arguments["prompt"])
            picture = pictures.receive(self.gpt, BytesIO(drawn))
        except (GatewayError, PictureRefused) as error:
            raise ToolFailure(f"The picture could not be drawn: {error}") from error
        return writing.apply(self.gpt.pk, {"picture_id": picture.pk})
