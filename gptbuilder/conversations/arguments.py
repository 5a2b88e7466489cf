"""The arguments of a call as the fields of a form, and back. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

PREFIX = "argument."
LINE_LETTERS = 60
# Between the words of a name: bedTime, bed_time, bed-time.
BETWEEN = re.compile(r"[_\-\s]+|(?<=[a-z0-9])(?=[A-Z])")

Kind = Literal["line", "text", "choice", "number", "json"]


@dataclass(frozen=True)
class Value:
    """One argument as a person reads and changes it."""

    key: str
    kind: Kind
    text: str

    @property
    def field(self) -> str:
        return f"{PREFIX}{self.key}"

    @property
    def label(self) -> str:
        words = " ".join(word for word in BETWEEN.split(self.key) if word)
        return words[:1].upper() + words[1:]

    @property
    def rows(self) -> int:
        return min(12, max(2, self.text.count("\n") + len(self.text) // 80 + 1))


class Unreadable(ValueError):
    """What the person wrote is no value of this kind. `key` names the argument."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def values(arguments: str) -> list[Value]:
    """A model's arguments, a JSON object, in its order; none when it is something else."""
    return [_value(key, value) for key, value in _object(arguments).items()]


def changed(arguments: str, form: Mapping[str, str]) -> dict[str, Any] | None:
    """The arguments as the form has them, of the kinds they had; None when they are the same. Raises Unreadable."""
    before = _object(arguments)
    after = {
        key: _read(_value(key, value), form) if f"{PREFIX}{key}" in form else value for key, value in before.items()
    }
    return None if after == before else after


def _object(arguments: str) -> dict[str, Any]:
    try:
        found = json.loads(arguments or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _value(key: str, value: Any) -> Value:
    match value:
        case bool():
            return Value(key, "choice", json.dumps(value))
        case int() | float():
            return Value(key, "number", json.dumps(value))
        case str():
            return Value(key, "text" if len(value) > LINE_LETTERS or "\n" in value else "line", value)
    return Value(key, "json", json.dumps(value, ensure_ascii=False, indent=2))


def _read(value: Value, form: Mapping[str, str]) -> Any:
    text = form[value.field].replace("\r\n", "\n")
    if value.kind in ("line", "text"):
        return text
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable(value.key) from None
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    if (value.kind == "number" and not is_number) or (value.kind == "choice" and not isinstance(found, bool)):
        raise Unreadable(value.key)
    return found
