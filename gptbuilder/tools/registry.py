"""Which tools a run has. Tools of higher layers are named in settings.TOOL_PROVIDERS, by the thread's purpose."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.utils.module_loading import import_string

from gptbuilder.accounts.models import User
from gptbuilder.agent.tool import Tool
from gptbuilder.gateway.types import ModelEntry, ToolCall
from gptbuilder.gpts.models import GPT, GPTVersion
from gptbuilder.knowledge import records
from gptbuilder.knowledge.search import Found
from gptbuilder.tools import files
from gptbuilder.tools.passages import Passage
from gptbuilder.tools.quoting import QuoteLimit


@dataclass(frozen=True)
class Context:
    """What a tool may need to know of the run it works in. `subject_id` is the GPT a builder talks about; `said` is
    what the person said in this turn, `before` in the one before; `file_ids` are the files of the conversation itself;
    `decisions` are the person's answers to paused calls, by the call's id.
    """

    person: User
    purpose: str
    subject_id: str | None
    said: str
    entry: ModelEntry
    before: str = ""
    file_ids: tuple[str, ...] = ()
    run_id: str = ""
    decisions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Equipment:
    """What a run works with: the system text, the tools, and whether the first call must be one of them.

    `opening` are calls that are made before the model is asked for the first time. `reserved_tokens` is what tools may
    add to the conversation. `whole` are passages that stand in the system text; `limit` says how much of the passages
    an answer may repeat. With `is_closed` nobody who asks sees the passages of the GPT.
    """

    system: str
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    opening: tuple[ToolCall, ...] = ()
    reserved_tokens: int = 0
    whole: tuple[Passage, ...] = ()
    limit: QuoteLimit | None = None
    is_closed: bool = False

    def label(self, name: str) -> str:
        """What the page says while this tool works: a message id of the catalogue, or nothing."""
        return next((getattr(tool, "label", "") for tool in self.tools if tool.name == name), "")

    def again(self, name: str, data: Mapping[str, Any]) -> str | None:
        """What a step of this tool told the model, if the step did not keep it."""
        tool = next((tool for tool in self.tools if tool.name == name), None)
        again = getattr(tool, "again", None)
        return cast("str | None", again(data)) if again else None


Provider = Callable[[GPTVersion, Context], Equipment]


def equipment(version: GPTVersion, context: Context) -> Equipment:
    provider = settings.TOOL_PROVIDERS.get(context.purpose)
    if provider:
        return cast(Provider, import_string(provider))(version, context)
    system = system_text(version)
    reach = files.reach(
        version,
        context.file_ids,
        said=context.said,
        before=context.before,
        entry=context.entry,
        system=system,
        is_preview=context.purpose == "preview",
        note=partial(_note, version, context) if context.purpose == "chat" else None,
    )
    tool = reach.tool
    # Small models choose and call badly, and answer well from what they are given: nobody asks them.
    is_unasked = tool is not None and not context.entry.tools
    return Equipment(
        system=f"{system}\n\n{reach.text}" if reach.text else system,
        tools=(tool,) if tool else (),
        tool_choice="none" if is_unasked else "auto",
        opening=(tool.opening(f"call_{uuid.uuid4().hex[:24]}"),) if tool and is_unasked else (),
        reserved_tokens=reach.reserved_tokens,
        whole=reach.whole,
        limit=reach.limit,
        is_closed=reach.is_closed,
    )


def _note(version: GPTVersion, context: Context, found: Found) -> None:
    """For the maker, who learns what is asked and not found, without who asked it."""
    is_makers = GPT.objects.filter(pk=version.gpt_id, owner=context.person).exists()
    records.note_search(version.gpt_id, context.said, found, asker=context.person, is_makers=is_makers)


def system_text(version: GPTVersion) -> str:
    """What the model is told of the GPT it plays. Stable for a version, so that endpoints can cache it."""
    named = f"You are {version.name}." if version.name else "You are a helpful assistant."
    described = f" {version.description}" if version.description else ""
    return f"{named}{described}\n\n{version.instructions}".strip()
