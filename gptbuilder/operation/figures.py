"""What the rows of runs say: what is being answered now, and how the last day went."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Max, Min
from redis.exceptions import RedisError

from gptbuilder.conversations.models.run import Run

QUEUES = ("runs", "indexing", "default")
HOURS = 24
# A busy day is a million rows: they are not read for every look at the page.
KEPT_SECONDS = 15

DAY = """
SELECT date_trunc('hour', finished_at) AS hour,
  count(*) FILTER (WHERE status IN ('completed', 'incomplete')),
  count(*) FILTER (WHERE status = 'cancelled'),
  count(*) FILTER (WHERE status IN ('failed', 'expired')),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM first_token_at - created_at))
    FILTER (WHERE paused_at IS NULL),
  percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM first_token_at - created_at))
    FILTER (WHERE paused_at IS NULL),
  coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0)
FROM conversations_run WHERE finished_at > %s GROUP BY GROUPING SETS ((hour), ())
"""


@dataclass(frozen=True)
class Active:
    by_status: dict[str, int]
    oldest_queued_at: datetime | None

    @property
    def waiting(self) -> int:
        return self.by_status[Run.Status.QUEUED]

    @property
    def running(self) -> int:
        return self.by_status[Run.Status.IN_PROGRESS] + self.by_status[Run.Status.CANCELLING]

    def waiting_seconds(self, now: datetime) -> float:
        return max(0.0, (now - self.oldest_queued_at).total_seconds()) if self.oldest_queued_at else 0.0


@dataclass(frozen=True)
class Span:
    """What ended in a span of time. Seconds to the first token are None when no answer began."""

    begins_at: datetime
    answered: int = 0
    stopped: int = 0
    failed: int = 0
    first_token_p50: float | None = None
    first_token_p95: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def ended(self) -> int:
        return self.answered + self.stopped + self.failed

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True)
class Failure:
    """Runs of the last day that ended with the same reason."""

    code: str
    count: int
    last_at: datetime


@dataclass(frozen=True)
class Day:
    """The last 24 hours: as a whole, by hour (oldest first, quiet ones too), and what went wrong."""

    whole: Span
    hours: list[Span]
    failures: list[Failure] = field(default_factory=list)


def active() -> Active:
    """Runs that have not ended. Reads an index that holds only those."""
    by_status = {str(status): 0 for status in Run.ACTIVE}
    rows = Run.objects.active().values("status").annotate(count=Count("pk"), oldest=Min("created_at"))
    oldest = None
    for row in rows:
        by_status[row["status"]] = row["count"]
        if row["status"] == Run.Status.QUEUED:
            oldest = row["oldest"]
    return Active(by_status, oldest)


def day(now: datetime) -> Day:
    """The last 24 hours, some seconds old at most. Without Redis it is read anew each time."""
    try:
        found: Day | None = cache.get("operation:day")
        if found is None:
            found = _day(now)
            cache.set("operation:day", found, KEPT_SECONDS)
    except (RedisError, OSError):
        return _day(now)
    return found


def _day(now: datetime) -> Day:
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    begins = [this_hour - timedelta(hours=HOURS - 1 - number) for number in range(HOURS)]
    with connection.cursor() as cursor:
        cursor.execute(DAY, [begins[0]])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    spans = {row[0]: Span(row[0] or begins[0], *row[1:]) for row in rows}
    return Day(
        whole=spans.get(None, Span(begins[0])),
        hours=[spans.get(begin, Span(begin)) for begin in begins],
        failures=_failures(begins[0]),
    )


def _failures(since: datetime) -> list[Failure]:
    rows = (
        Run.objects.filter(finished_at__gt=since, status__in=[Run.Status.FAILED, Run.Status.EXPIRED])
        .values("error_code")
        .annotate(count=Count("pk"), last=Max("finished_at"))
        .order_by("-count")
    )
    return [Failure(row["error_code"] or "internal", row["count"], row["last"]) for row in rows]
