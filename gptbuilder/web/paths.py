"""Paths of pages, for templates and views that make dozens of them with each answer.

Django looks through a view's patterns anew for each id. Ids of ours stand in a path as they are, so the path of one id
is that of another with the id exchanged.
"""

from __future__ import annotations

import re
from functools import cache

from django.urls import get_script_prefix, reverse
from django.utils.html import escape
from django.utils.safestring import SafeString

ID = re.compile(r"[a-z]+_[0-9a-z]{26}")
PLACE = "id_00000000000000000000000000"


def path(view: str, *values: object) -> str:
    """What `reverse` gives for these positional values; of ids alone it needs no escaping. Raises NoReverseMatch."""
    for value in values:
        if not isinstance(value, str) or not ID.fullmatch(value):
            return reverse(view, args=values)
    return SafeString(_pattern(view, len(values), get_script_prefix()) % values)


@cache
def _pattern(view: str, count: int, prefix: str) -> str:
    """The path with `%s` for each id."""
    return escape(reverse(view, args=[PLACE] * count)).replace("%", "%%").replace(PLACE, "%s")
