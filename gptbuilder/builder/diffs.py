"""What changed in a draft, for reading: chips and lines. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

CONTEXT_LINES = 1
LABELS: dict[str, str | Promise] = {
    "name": _("name"),
    "description": _("description"),
    "instructions": _("instructions"),
    "starters": _("starters"),
    "picture_id": _("picture"),
    "capabilities": _("capabilities"),
    "model": _("model"),
    "files": _("files"),
    "is_confidential": _("confidential knowledge"),
    "quote_words": _("longest quotation"),
}
SINGULAR = ("name", "description", "picture_id")


@dataclass(frozen=True)
class Line:
    """One line of a diff; `sign` is "+", "−" or a space."""

    sign: str
    text: str | Promise


@dataclass(frozen=True)
class FieldDiff:
    """What changed in one field. `first` and `last` number the lines of the new text that are shown, from 1."""

    name: str
    chip: str | Promise
    label: str | Promise
    lines: list[Line] = field(default_factory=list)
    first: int = 0
    last: int = 0

    @property
    def grew(self) -> int:
        return sum(line.sign == "+" for line in self.lines)

    @property
    def shrank(self) -> int:
        return sum(line.sign == "−" for line in self.lines)

    @property
    def is_text(self) -> bool:
        """Whether the numbers of lines say more than the field's name."""
        return self.name == "instructions"


def merged(changes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Several changes of one field as one, from its first value to its last; what came back to its first is gone."""
    found: dict[str, dict[str, Any]] = {}
    for change in changes:
        earlier = found.get(change["field"], change)
        found[change["field"]] = {**change, "before": earlier["before"]}
    return [change for change in found.values() if (change["before"] or None) != (change["after"] or None)]


def field_diffs(changes: Iterable[Mapping[str, Any]]) -> list[FieldDiff]:
    """The changes of one turn, field by field, in the order of the form."""
    order = list(LABELS)
    known = [change for change in merged(changes) if change["field"] in LABELS]
    return [_field_diff(change) for change in sorted(known, key=lambda change: order.index(change["field"]))]


def between(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[FieldDiff]:
    """What differs from one configuration to another, field by field; everything, when there was none before."""
    earlier = before or {}
    return field_diffs({"field": name, "before": earlier.get(name), "after": after.get(name)} for name in LABELS)


def locked_sentence(fields: Sequence[str]) -> str:
    """What a turn left alone because the person locked it; empty when there is nothing."""
    names = [str(LABELS[field]) for field in LABELS if field in fields]
    if not names:
        return ""
    if len(names) == 1 and fields[0] in SINGULAR:
        return gettext("%(field)s is locked by you, so it stayed as it was.") % {"field": capfirst(names[0])}
    return gettext("Locked by you, so left as they were: %(fields)s.") % {"fields": listed(names)}


def listed(names: Iterable[str | Promise]) -> str:
    """Names as one text: "name, description"."""
    return gettext(", ").join(str(name) for name in names)


def changed_fields(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[str | Promise]:
    """The names of the fields that differ; without an earlier configuration, of those that say something."""
    earlier = before or {}
    return [label for name, label in LABELS.items() if (after.get(name) or None) != (earlier.get(name) or None)]


def line_diff(before: str, after: str) -> tuple[list[Line], int, int]:
    """The changed lines with CONTEXT_LINES around them, and which lines of the new text these are."""
    old, new = before.splitlines(), after.splitlines()
    lines: list[Line] = []
    shown: list[int] = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT_LINES):
        if lines:
            lines.append(Line(" ", "…"))
        for tag, old_start, old_end, new_start, new_end in group:
            shown += range(new_start, new_end)
            if tag == "equal":
                lines += [Line(" ", text) for text in old[old_start:old_end]]
                continue
            lines += [Line("−", text) for text in old[old_start:old_end] if text.strip()]
            lines += [Line("+", text) for text in new[new_start:new_end] if text.strip()]
    return lines, min(shown, default=-1) + 1, max(shown, default=-1) + 1


def list_diff(before: Sequence[str], after: Sequence[str]) -> list[Line]:
    """Which items went and which came; items that only moved do not count."""
    gone = [Line("−", text) for text in before if text not in after]
    return gone + [Line("+", text) for text in after if text not in before]


def _field_diff(change: Mapping[str, Any]) -> FieldDiff:
    name, before, after = change["field"], change["before"], change["after"]
    label = LABELS[name]
    if name == "instructions":
        lines, first, last = line_diff(before or "", after or "")
        return FieldDiff(name, label, label, lines, first, last)
    if name in ("starters", "capabilities"):
        lines = list_diff(before or [], after or []) or [Line(" ", _("Only the order changed."))]
        added = sum(line.sign == "+" for line in lines)
        chip = _starters(added) if name == "starters" and added else label
        return FieldDiff(name, chip, label, lines)
    if name == "picture_id":
        return FieldDiff(name, label, label, [Line("+", _("A new picture")) if after else Line("−", _("The picture"))])
    if name == "files":
        lines = list_diff(_files(before), _files(after)) or [Line(" ", _("Only the order changed."))]
        return FieldDiff(name, label, label, lines)
    if name == "is_confidential":
        return FieldDiff(name, label, label, [Line("+" if after else "−", _("Only you see files and passages"))])
    values = [("−", before), ("+", after)]
    return FieldDiff(name, label, label, [Line(sign, str(value)) for sign, value in values if value])


def _files(entries: Sequence[Mapping[str, str]] | None) -> list[str]:
    return [
        gettext("%(name)s (always in full)") % entry if entry["mode"] == "full" else entry["name"]
        for entry in entries or ()
    ]


def _starters(count: int) -> str:
    return ngettext("%(count)d starter", "%(count)d starters", count) % {"count": count}
