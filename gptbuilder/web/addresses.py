"""Where a request came from, behind our own proxies or not."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The client's IP address as text.

    With TRUSTED_PROXIES = n the n-th entry of X-Forwarded-For from the right: what our outermost proxy saw. Everything
    left of it was written by the client, so it is not believed. Too few entries, or no address: the connection's own.
    """
    connection: str = request.META.get("REMOTE_ADDR", "")
    trusted = settings.TRUSTED_PROXIES
    if not trusted:
        return connection
    entries = [entry.strip() for entry in request.headers.get("X-Forwarded-For", "").split(",") if entry.strip()]
    if len(entries) < trusted:
        return connection
    try:
        return str(ip_address(entries[-trusted]))
    except ValueError:
        return connection
