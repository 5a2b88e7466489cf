"""What has been done since the beginning, as numbers that only grow: what a monitor takes differences of.

Rows are the truth and Redis remembers up to when they were added up, so that a scrape reads only the rows since.
When Redis has forgotten, all rows are added up once.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Avg, Case, Count, DurationField, ExpressionWrapper, F, Q, Sum, When
from redis.exceptions import WatchError

from gptbuilder.conversations.models.run import Run
from gptbuilder.web import redis_client

KEY = "operation:totals"
# A row may become visible a moment after the time that stands in it.
SETTLED = timedelta(seconds=10)
FIRST_TOKEN_SECONDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)


@dataclass
class Totals:
    """`ended` counts runs by "status error_code"; `first_token_buckets` counts those whose first token came within
    each of FIRST_TOKEN_SECONDS, so it grows from left to right."""

    until: float = 0.0
    ended: dict[str, int] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    first_token_buckets: list[int] = field(default_factory=lambda: [0] * len(FIRST_TOKEN_SECONDS))
    first_token_count: int = 0
    first_token_seconds: float = 0.0


def read(now: datetime) -> Totals:
    """The totals up to some seconds ago. Two readers at once both get them right, and one of them is remembered.

    Raises RedisError, because without a memory every call would read every row.
    """
    until = now - SETTLED
    with redis_client.connection().pipeline() as pipeline:
        pipeline.watch(KEY)  # type: ignore[no-untyped-call]
        remembered: Any = pipeline.get(KEY)
        totals = Totals(**json.loads(remembered)) if remembered else Totals()
        since = datetime.fromtimestamp(totals.until, tz=UTC)
        if since < until:
            for row in _ended(since, until):
                _add(totals, row)
            totals.until = until.timestamp()
            try:
                pipeline.multi()
                pipeline.set(KEY, json.dumps(asdict(totals)))
                pipeline.execute()
            except WatchError:
                # Somebody else has remembered the same rows.
                return totals
    return totals


def _ended(since: datetime, until: datetime) -> Any:
    """One row for each way of ending, from an index by the time of the end."""
    taken = ExpressionWrapper(F("first_token_at") - F("created_at"), output_field=DurationField())
    # Waiting for a person is no slowness of ours.
    first = Case(When(paused_at=None, then=taken))
    buckets = {
        f"within_{number}": Count("pk", filter=Q(first_token__lte=timedelta(seconds=seconds)))
        for number, seconds in enumerate(FIRST_TOKEN_SECONDS)
    }
    return (
        Run.objects.filter(finished_at__gt=since, finished_at__lte=until)
        .annotate(first_token=first)
        .values("status", "error_code")
        .annotate(
            runs=Count("pk"),
            input=Sum("input_tokens"),
            output=Sum("output_tokens"),
            begun=Count("first_token"),
            mean=Avg("first_token"),
            **buckets,
        )
    )


def _add(totals: Totals, row: dict[str, Any]) -> None:
    key = f"{row['status']} {row['error_code']}"
    totals.ended[key] = totals.ended.get(key, 0) + row["runs"]
    totals.input_tokens += row["input"]
    totals.output_tokens += row["output"]
    totals.first_token_count += row["begun"]
    if row["mean"] is not None:
        totals.first_token_seconds += row["mean"].total_seconds() * row["begun"]
    for number in range(len(FIRST_TOKEN_SECONDS)):
        totals.first_token_buckets[number] += row[f"within_{number}"]
