"""Paths of pages, for templates and views that make dozens of them with each answer.

Django looks through a view's patterns anew for each id. Ids of ours stand in a path as they are, so the path of one id
is that of another with the id exchanged.
"""

from __future__ import annotations

import re
from functools import cache

from django.urls import get_script_prefix, reverse

ID = re.compile(r"[a-z]+_[0-9a-z]{26}")
PLACE = "id_00000000000000000000000000"


def path(view: str, *values: object) -> str:
    """What `reverse` gives for these positional values. Raises NoReverseMatch."""
    ids = [value for value in values if isinstance(value, str) and ID.fullmatch(value)]
    if not ids or len(ids) != len(values):
        return reverse(view, args=values)
    between = _between(view, len(ids), get_script_prefix())
    return "".join(word for pair in zip(between, (*ids, ""), strict=True) for word in pair)


@cache
def _between(view: str, count: int, prefix: str) -> list[str]:
    """What stands before, between and behind the ids."""
    return reverse(view, args=[PLACE] * count).split(PLACE)
