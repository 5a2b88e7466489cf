"""This process's client for addresses that people give. Whatever fetches one fetches it here."""

from __future__ import annotations

import os
from functools import cache

from django.conf import settings

from gptbuilder.lib.safe_http.client import Client


@cache
def client() -> Client:
    """It reaches the public internet and OUTBOUND_ALLOWED_HOSTS. Any thread may use it."""
    return Client(settings.OUTBOUND_ALLOWED_HOSTS)


# A child must not share its parent's connections.
os.register_at_fork(after_in_child=client.cache_clear)
