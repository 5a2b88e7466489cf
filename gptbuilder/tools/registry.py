"""Which tools a run has. Tools of higher layers are named in settings.TOOL_PROVIDERS, by the thread's purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from gptbuilder.accounts.models import User
from gptbuilder.agent.tool import Tool
from gptbuilder.gateway.types import ModelEntry
from gptbuilder.gpts.models import GPTVersion


@dataclass(frozen=True)
class Context:
    """What a tool may need to know of the run it works in. `subject_id` is the GPT a builder talks about;
    `said` is what the person said in this turn."""

    person: User
    purpose: str
    subject_id: str | None
    said: str
    entry: ModelEntry


@dataclass(frozen=True)
class Equipment:
    """What a run works with: the system text, the tools, and whether the first call must be one of them."""

    system: str
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"

    def label(self, name: str) -> str:
        """What the page says while this tool works: a message id of the catalogue, or nothing."""
        return next((getattr(tool, "label", "") for tool in self.tools if tool.name == name), "")


Provider = Callable[[GPTVersion, Context], Equipment]


def equipment(version: GPTVersion, context: Context) -> Equipment:
    provider = settings.TOOL_PROVIDERS.get(context.purpose)
    if provider:
        return cast(Provider, import_string(provider))(version, context)
    return Equipment(system_text(version))


def system_text(version: GPTVersion) -> str:
    """What the model is told of the GPT it plays. Stable for a version, so that endpoints can cache it."""
    named = f"You are {version.name}." if version.name else "You are a helpful assistant."
    described = f" {version.description}" if version.description else ""
    return f"{named}{described}\n\n{version.instructions}".strip()
