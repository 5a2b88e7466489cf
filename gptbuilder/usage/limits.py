"""Rate limits of messages: a count per window in Redis, raised by allowances."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from redis.exceptions import RedisError

from gptbuilder.accounts.models import User
from gptbuilder.usage.models import Allowance
from gptbuilder.web.ready import Ready
from gptbuilder.web.redis_client import connection
from gptbuilder.workspaces.models import Workspace

log = logging.getLogger(__name__)

MESSAGES = Ready(
    lambda workspace_id, now: Allowance.objects.in_force(now).filter(
        workspace=workspace_id, kind=Allowance.Kind.MESSAGES_PER_HOUR
    ),
    str,
    datetime,
)


@dataclass
class LimitReached(Exception):
    """More than the allowed number in this window; it ends at `until`."""

    limit: int
    until: datetime


def check_message(person: User, workspace: Workspace, gpt_id: str, now: datetime) -> None:
    """Count one message of this person. Raises LimitReached and then has counted it too, so that hammering
    on a closed door does not open it."""
    if person.is_guest:
        count(f"guest-gpt:{gpt_id}", settings.GUEST_MESSAGES_PER_GPT_PER_HOUR, timedelta(hours=1), now)
        allowed = settings.GUEST_MESSAGES_PER_HOUR
    else:
        bought = (allowance.amount for allowance in MESSAGES.rows(workspace.pk, now))
        allowed = max([settings.MESSAGES_PER_HOUR, *bought])
    count(f"messages:{person.pk}", allowed, timedelta(hours=1), now)


def check_new_guest(address: str, now: datetime) -> None:
    """Count one new guest from this address."""
    count(f"guests:{address}", settings.GUESTS_PER_ADDRESS_PER_DAY, timedelta(days=1), now)


def count(what: str, limit: int, window: timedelta, now: datetime) -> None:
    """One more of `what` in the fixed window that holds `now`; raises LimitReached above `limit`.

    Without Redis nothing is refused: a limit protects the service, the service comes first.
    """
    seconds = int(window.total_seconds())
    number = int(now.timestamp()) // seconds
    key = f"limit:{what}:{number}"
    try:
        with connection().pipeline(transaction=False) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, seconds * 2)
            used = pipeline.execute()[0]
    except (RedisError, OSError):
        log.warning("limit not counted, Redis is away", extra={"limit": what})
        return
    if used > limit:
        raise LimitReached(limit, datetime.fromtimestamp((number + 1) * seconds, tz=UTC))
