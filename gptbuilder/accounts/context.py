"""What the pages before one is inside are given by accounts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from gptbuilder.accounts import identity


def sign_in_ways(request: HttpRequest) -> dict[str, Any]:
    return {"identity_providers": identity.providers()}
