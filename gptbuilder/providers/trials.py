"""What a model is asked in order to see what it can do. Each trial gives whether it really did. Raises GatewayError.

No trial tells the model what would satisfy it: a model that only follows the prompt must not pass for one whose
endpoint binds it to a schema, nor one that guesses for one that sees.
"""

from __future__ import annotations

import json
import random
import re
import time
from io import BytesIO

import jsonschema
from PIL import Image as Pictures

from gptbuilder.gateway import chat
from gptbuilder.gateway.errors import Garbage
from gptbuilder.gateway.types import (
    AssistantMessage,
    ChatRequest,
    Completion,
    Image,
    ModelEntry,
    SystemMessage,
    TextDelta,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)

# Enough for a model that thinks first; the answers themselves are a few words.
MAX_TOKENS = 2000
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["blue", "green", "red"]}, "letters": {"type": "integer"}},
    "required": ["colour", "letters"],
    "additionalProperties": False,
}
TOOL = ToolSpec(
    "read_thermometer",
    "Reads the thermometer of a room, in degrees Celsius.",
    {
        "type": "object",
        "properties": {"room": {"type": "string", "enum": ["kitchen", "cellar"]}},
        "required": ["room"],
        "additionalProperties": False,
    },
)
COLOURS = {"red": (220, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 220), "yellow": (250, 220, 0)}
SIDE_PIXELS = 128


def first_word(entry: ModelEntry) -> int:
    """Milliseconds until the first text of a short answer. An empty answer is Garbage."""
    began = time.monotonic()
    with chat.stream(entry, _ask("Say hello in one short sentence.")) as deltas:
        for delta in deltas:
            if isinstance(delta, TextDelta) and delta.text.strip():
                return round((time.monotonic() - began) * 1000)
    raise Garbage("The answer is empty.")


def calls_tools(entry: ModelEntry) -> bool:
    """Whether it calls a tool with proper arguments by itself, and answers from what the tool says."""
    question = UserMessage("How warm is it in the cellar? Look at the thermometer.")
    system = SystemMessage("You can read thermometers by a tool. Never guess a temperature.")
    completion = _complete(entry, ChatRequest((system, question), (TOOL,), max_tokens=MAX_TOKENS))
    call = next((call for call in completion.tool_calls if call.name == TOOL.name), None)
    if call is None or not _is_proper(call):
        return False
    said = AssistantMessage(completion.text, (call,))
    read = ToolMessage(call.id, call.name, "The thermometer shows 37 degrees.")
    answer = _complete(entry, ChatRequest((system, question, said, read), (TOOL,), max_tokens=MAX_TOKENS))
    return "37" in answer.text


def keeps_schema(entry: ModelEntry) -> bool:
    """Whether its output is bound to a schema that the prompt does not mention."""
    request = _ask("What colour is grass, and how many letters has that word? Answer in a full sentence.")
    answer = _complete(entry, ChatRequest(request.messages, response_schema=SCHEMA, max_tokens=MAX_TOKENS))
    try:
        jsonschema.validate(json.loads(answer.text), SCHEMA)
    except (ValueError, RecursionError, jsonschema.ValidationError):
        return False
    return True


def sees(entry: ModelEntry) -> bool:
    """Whether it names the two colours of a picture drawn by chance; a guess is right once in twelve."""
    left, right = random.sample(list(COLOURS), 2)
    question = (
        "The left half of this picture has one colour, the right half another. Name both, the left one first. "
        f"Each is one of: {', '.join(COLOURS)}."
    )
    picture = Image("image/png", two_colours(left, right))
    answer = _complete(entry, ChatRequest((UserMessage(question, (picture,)),), max_tokens=MAX_TOKENS))
    return re.findall("|".join(COLOURS), answer.text.lower())[:2] == [left, right]


def two_colours(left: str, right: str) -> bytes:
    """A PNG whose halves have these colours."""
    picture = Pictures.new("RGB", (SIDE_PIXELS, SIDE_PIXELS), COLOURS[left])
    picture.paste(COLOURS[right], (SIDE_PIXELS // 2, 0, SIDE_PIXELS, SIDE_PIXELS))
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _ask(question: str) -> ChatRequest:
    return ChatRequest((UserMessage(question),), max_tokens=MAX_TOKENS)


def _complete(entry: ModelEntry, request: ChatRequest) -> Completion:
    return chat.complete(entry, request)


def _is_proper(call: ToolCall) -> bool:
    try:
        jsonschema.validate(json.loads(call.arguments), TOOL.parameters)
    except (ValueError, RecursionError, jsonschema.ValidationError):
        return False
    return True
