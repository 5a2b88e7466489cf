"""What can go wrong between us and a model's endpoint.

    GatewayError
    ├── Unreachable    unreachable     no connection, or 5xx, after every retry
    ├── Refused        refused · unauthorized · model_missing · too_long     any other 4xx
    ├── RateLimited    rate_limited    429 after every retry
    ├── TimedOut       timed_out       too slow to connect, to begin or to go on
    ├── Garbage        garbage         an answer that is not the protocol
    ├── Broken         broken          the stream died in the middle
    └── Closed         closed          we closed it

`code` is the stable word pages choose their sentence by; `str()` is for logs. Neither holds the API key.
"""

from __future__ import annotations

from typing import Literal

RefusalCode = Literal["refused", "unauthorized", "model_missing", "too_long"]
Phase = Literal["connect", "first_token", "idle"]


class GatewayError(Exception):
    code: str = "gateway"


class Unreachable(GatewayError):
    """`status` is the last answer, when there was one. `retry_after` is what it asked for, in seconds."""

    code = "unreachable"

    def __init__(self, reason: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.retry_after = retry_after


class Refused(GatewayError):
    """`message` is the upstream's own; it is empty when the upstream did not accept our key."""

    def __init__(self, status: int, message: str, code: RefusalCode = "refused") -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.message = message
        self.code = code


class RateLimited(GatewayError):
    """`retry_after` is how long the upstream asked to wait, in seconds, when it said so."""

    code = "rate_limited"

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__(f"429, retry after {retry_after} s")
        self.retry_after = retry_after


class TimedOut(GatewayError):
    code = "timed_out"

    def __init__(self, phase: Phase) -> None:
        super().__init__(f"timed out: {phase}")
        self.phase = phase


class Garbage(GatewayError):
    code = "garbage"


class Broken(GatewayError):
    code = "broken"


class Closed(GatewayError):
    code = "closed"
