"""Where in its file a passage stands, in words."""

from __future__ import annotations

from django.utils.translation import gettext


def place(kind: str, number: int | None, title: str) -> str:
    """Such as "Page 12", "Slide 3: Prices", "Sheet 2: Trails"; the title alone of other parts, or nothing."""
    named = ""
    if number is not None:
        match kind:
            case "page":
                named = gettext("Page %(number)d") % {"number": number}
            case "slide":
                named = gettext("Slide %(number)d") % {"number": number}
            case "sheet":
                named = gettext("Sheet %(number)d") % {"number": number}
    return f"{named}: {title}" if named and title else named or title
