"""Why an address was not fetched."""

from __future__ import annotations

from typing import ClassVar


class FetchFailed(Exception):
    """`code` is for programs. The message names a host at most: no path, query, header or body. Without `was_sent`
    nothing of the request has left, unless it was redirected before."""

    code: ClassVar[str]
    was_sent: ClassVar[bool] = True


class BadUrl(FetchFailed):
    """It is not a URL of the web, or one that programs would read in different ways."""

    code = "bad_url"
    was_sent = False


class BadRequest(FetchFailed):
    """A method or header that cannot be sent, or that is not the caller's to set."""

    code = "bad_request"
    was_sent = False


class AddressRefused(FetchFailed):
    """It leads to a place that is neither public nor on the allow-list."""

    code = "refused"
    was_sent = False


class NotResolvable(FetchFailed):
    """The name has no address."""

    code = "not_resolvable"
    was_sent = False


class Unreachable(FetchFailed):
    """Nobody answers there, or the connection was lost."""

    code = "unreachable"


class NotReached(Unreachable):
    """Nobody answers there: no connection was made."""

    was_sent = False


class TlsFailed(FetchFailed):
    """The certificate is not valid for the host, or there is no TLS."""

    code = "tls"
    was_sent = False


class TimedOut(FetchFailed):
    code = "timed_out"


class TooLarge(FetchFailed):
    """The header or the body of the answer is larger than the limits, compressed or not."""

    code = "too_large"


class TooManyRedirects(FetchFailed):
    code = "too_many_redirects"


class Garbage(FetchFailed):
    """The answer is not HTTP, ends too early, or is compressed in a way that was not asked for."""

    code = "garbage"
