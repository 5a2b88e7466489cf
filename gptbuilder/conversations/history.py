"""Stored messages and steps as messages for a model, fitted to its context window. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.gateway.types import AssistantMessage, Image, SystemMessage, ToolCall, ToolMessage, UserMessage
from gptbuilder.gateway.types import Message as ModelMessage

CUT = "\n[…]\n"
# What stands for the words of a message that was only an image.
AN_IMAGE = "[image]"
ATTACHED = "[attached: {names}]"
# What an image costs is a provider's secret; this is above what most take for one of 2048 pixels.
IMAGE_TOKENS = 1500
# A window holds the answer too, and counts are estimates.
ANSWER_SHARE = 4
MARGIN = 0.9


def conversation(
    path: Iterable[Message],
    images: Mapping[str, tuple[Image, ...]] | None = None,
    files: Mapping[str, Sequence[str]] | None = None,
    *,
    tells_calls: bool = True,
) -> list[ModelMessage]:
    """The shown branch of a thread, oldest first, as model messages. `images`, and `files` by their names, by the id of
    their message. Without `tells_calls` nothing is said of what tools did."""
    images, files = images or {}, files or {}
    messages: list[ModelMessage] = []
    for message in path:
        if message.is_mine:
            messages.append(UserMessage(_said(message, files.get(message.pk, ())), images.get(message.pk, ())))
        elif tells_calls and message.run and (steps := list(message.run.steps.all())):
            messages += of_steps(steps)
        else:
            messages.append(AssistantMessage(message.text))
    return messages


def _said(message: Message, files: Sequence[str]) -> str:
    """With the names of the files, which are otherwise no part of what was said."""
    attached = ATTACHED.format(names=", ".join(files)) if files else ""
    return "\n\n".join(part for part in (message.text, attached) if part) or AN_IMAGE


def of_steps(steps: Iterable[RunStep]) -> list[ModelMessage]:
    """What a run did, as model messages: each model message with its calls, then their outputs.

    A call whose output was never stored stays unanswered: the loop runs it first.
    """
    messages: list[ModelMessage] = []
    for step in steps:
        if step.kind == RunStep.Kind.MESSAGE:
            messages.append(AssistantMessage(step.text))
            continue
        call = ToolCall(step.call_id, step.tool, step.arguments)
        at = next((i for i in reversed(range(len(messages))) if not isinstance(messages[i], ToolMessage)), None)
        said = messages[at] if at is not None else None
        if at is not None and isinstance(said, AssistantMessage):
            messages[at] = AssistantMessage(said.text, (*said.tool_calls, call))
        else:
            messages.append(AssistantMessage("", (call,)))
        if step.finished_at:
            messages.append(ToolMessage(step.call_id, step.tool, step.output))
    return messages


def fit(
    system: str,
    messages: Sequence[ModelMessage],
    context_window: int,
    max_output_tokens: int | None,
    count: Callable[[str], int],
) -> list[ModelMessage]:
    """The system message and as many of the latest messages as the window holds, room for the answer kept.

    Older turns are left out whole, from a person's message to the next one, so that no tool output loses its
    call. What is too long by itself is cut in the middle.
    """
    answer = min(max_output_tokens or context_window, context_window // ANSWER_SHARE)
    room = int((context_window - answer) * MARGIN)
    system = cut(system, room // 2, count)
    room -= count(system)
    turns = _turns(messages)
    kept: list[list[ModelMessage]] = []
    for turn in reversed(turns):
        cost = sum(_cost(message, count) for message in turn)
        if cost > room:
            if not kept:
                kept.append(_shortened(turn, room, count))
            break
        kept.append(turn)
        room -= cost
    return [SystemMessage(system), *(message for turn in reversed(kept) for message in turn)]


def cut(text: str, most: int, count: Callable[[str], int]) -> str:
    """The text, or its beginning and end with a mark between, within so many tokens."""
    tokens = count(text)
    if tokens <= most:
        return text
    half = max(0, len(text) * most // (tokens + 1) // 2 - len(CUT))
    shorter = text[:half] + CUT + text[len(text) - half :]
    return shorter if count(shorter) <= most or half < 16 else cut(shorter, most, count)


def _turns(messages: Sequence[ModelMessage]) -> list[list[ModelMessage]]:
    turns: list[list[ModelMessage]] = []
    for message in messages:
        if isinstance(message, UserMessage) or not turns:
            turns.append([])
        turns[-1].append(message)
    return turns


def _cost(message: ModelMessage, count: Callable[[str], int]) -> int:
    calls = "".join(call.name + call.arguments for call in getattr(message, "tool_calls", ()))
    return count(message.text + calls) + 8 + IMAGE_TOKENS * len(getattr(message, "images", ()))


def _shortened(turn: list[ModelMessage], room: int, count: Callable[[str], int]) -> list[ModelMessage]:
    share = max(64, room // len(turn) - 8)
    shortened: list[ModelMessage] = []
    for message in turn:
        text = cut(message.text, share, count)
        match message:
            case UserMessage():
                shortened.append(UserMessage(text, message.images))
            case AssistantMessage():
                shortened.append(AssistantMessage(text, message.tool_calls))
            case ToolMessage():
                shortened.append(ToolMessage(message.call_id, message.name, text))
            case SystemMessage():
                shortened.append(SystemMessage(text))
    return shortened


def answer_so_far(steps: Iterable[RunStep]) -> str:
    """The text that a run has stored in its steps, across attempts."""
    return "\n\n".join(step.text for step in steps if step.kind == RunStep.Kind.MESSAGE and step.text)
