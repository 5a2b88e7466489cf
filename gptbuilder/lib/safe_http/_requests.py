"""A request, and what a redirect makes of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from gptbuilder.lib.safe_http import decoding
from gptbuilder.lib.safe_http.destinations import Destination, parse
from gptbuilder.lib.safe_http.errors import AddressRefused, BadRequest, BadUrl

METHOD = re.compile(r"[A-Z]{1,20}")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
# What frames a message and holds a connection is ours to say.
OURS = frozenset({
    "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te",
    "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
ALWAYS_SECRET = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"})
OF_A_BODY = frozenset({"content-type", "content-encoding", "content-language", "content-location"})
DEFAULTS = {"user-agent": "GPT-Builder", "accept": "*/*"}
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Request:
    """`headers` and `secrets` have lower-case names."""

    method: str
    destination: Destination
    headers: Mapping[str, str]
    content: bytes
    secrets: frozenset[str]

    @classmethod
    def of(
        cls,
        method: str,
        destination: Destination,
        headers: Mapping[str, str],
        content: bytes,
        secret_headers: Collection[str],
    ) -> Request:
        """Raises BadRequest."""
        if not METHOD.fullmatch(method) or method == "CONNECT":
            raise BadRequest("There is no such method.")
        for name, value in headers.items():
            if not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
                raise BadRequest("A header holds characters that cannot be sent.")
            if name.lower() in OURS:
                raise BadRequest(f"The header {name} cannot be set.")
        return cls(
            method,
            destination,
            {name.lower(): value for name, value in headers.items()},
            content,
            ALWAYS_SECRET | {name.lower() for name in secret_headers},
        )

    def lines(self) -> list[tuple[bytes, bytes]]:
        """The header as it is sent."""
        ours = {"host": self.destination.authority, "accept-encoding": decoding.ACCEPTED}
        if self.content or self.method in ("POST", "PUT", "PATCH"):
            ours["content-length"] = str(len(self.content))
        headers = {**ours, **DEFAULTS, **self.headers}
        return [(name.encode(), value.strip(" \t").encode("utf-8", "replace")) for name, value in headers.items()]


def redirected(request: Request, status: int, headers: Mapping[str, str]) -> Request | None:
    """The request that an answer redirects to, or None if there is none to follow. Raises FetchFailed."""
    if status not in REDIRECTS or not headers.get("location"):
        return None
    there = _location(request.destination, headers["location"])
    is_elsewhere = there.origin != request.destination.origin
    is_safe = request.method in ("GET", "HEAD") and not request.content
    if not is_safe and status in (307, 308) and is_elsewhere:
        return None
    if request.destination.scheme == "https" and there.scheme == "http":
        raise AddressRefused(f"A redirect leads from https to http, to {there.host}.")
    following = replace(request, destination=there)
    if is_elsewhere:
        following = _without(following, request.secrets)
    if is_safe or status in (307, 308):
        return following
    if status == 303 or request.method == "POST":
        return replace(_without(following, OF_A_BODY), method="GET", content=b"")
    return None


def _location(base: Destination, value: str) -> Destination:
    # Headers are read as Latin-1; addresses in them are UTF-8.
    location = value.encode("latin-1").decode("utf-8", "replace")
    try:
        return parse(urljoin(base.url, location))
    except ValueError:
        raise BadUrl("A redirect leads to what is no address.") from None


def _without(request: Request, names: Collection[str]) -> Request:
    return replace(request, headers={name: value for name, value in request.headers.items() if name not in names})
