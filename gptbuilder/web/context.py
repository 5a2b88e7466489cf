"""What every template is given."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from gptbuilder.web import appearance


def site(request: HttpRequest) -> dict[str, Any]:
    """Lazy where it costs something: an error page asks no database, a page without the notice opens no file."""
    return {
        "site_name": settings.SITE_NAME,
        "languages": settings.LANGUAGES,
        "theme": SimpleLazyObject(lambda: appearance.of(request)),
        "now": timezone.now(),
        # One token for all forms of a page.
        "csrf_token": SimpleLazyObject(lambda: get_token(request)),
    }
