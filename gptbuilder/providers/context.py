"""What the model notice of every page says."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from gptbuilder.providers import entries
from gptbuilder.web import model_notice as notices


def model_notice(request: HttpRequest) -> dict[str, Any]:
    """The notice about the local model, empty once a provider answers in its place. Lazy: most pages ask nothing."""
    return {"model_notice": SimpleLazyObject(_read)}


def _read() -> notices.ModelNotice:
    notice = notices.read()
    if notice.is_demonstration and not entries.default_entry().is_demonstration:
        return notices.ModelNotice()
    return notice
