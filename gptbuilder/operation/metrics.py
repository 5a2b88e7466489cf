"""`/metrics`: the figures of the whole installation in the text format of Prometheus, from whichever process is asked.

No label names a person, a GPT or a conversation.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from redis.exceptions import RedisError

from gptbuilder.operation import figures, totals
from gptbuilder.web import presence

log = logging.getLogger(__name__)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For a monitor that knows METRICS_TOKEN, and for the staff. Everybody else: there is no such page."""
    if not (_has_token(request) or (request.user.is_authenticated and request.user.is_staff)):
        raise Http404
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(timezone.now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    expected = settings.METRICS_TOKEN
    return bool(expected) and scheme == "Bearer" and secrets.compare_digest(given.encode(), expected.encode())


class _Collector:
    """Asks each source once. A source that is away leaves its figures out and says so by `gptbuilder_up`."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("gptbuilder_up", "Whether a service answered this scrape.", labels=["service"])
        sources: dict[str, list[Callable[[datetime], Iterator[Metric]]]] = {
            "database": [_active],
            "redis": [_totals, _redis],
        }
        for service, asked in sources.items():
            found: list[Metric] = []
            try:
                for source in asked:
                    found += source(self._now)
            except (DatabaseError, RedisError, OSError):
                log.warning("no figures from %s", service, exc_info=True)
                up.add_metric([service], 0)
            else:
                up.add_metric([service], 1)
            yield from found
        yield up


def _active(now: datetime) -> Iterator[Metric]:
    active = figures.active()
    runs = GaugeMetricFamily("gptbuilder_runs", "Runs that have not ended, by state.", labels=["state"])
    for status, count in active.by_status.items():
        runs.add_metric([status], count)
    yield runs
    yield GaugeMetricFamily(
        "gptbuilder_runs_waiting_seconds",
        "For how long the oldest queued run waits.",
        value=active.waiting_seconds(now),
    )


def _totals(now: datetime) -> Iterator[Metric]:
    found = totals.read(now)
    ended = CounterMetricFamily("gptbuilder_runs_ended", "Runs that ended.", labels=["state", "error"])
    for key, count in found.ended.items():
        ended.add_metric(key.split(" "), count)
    yield ended
    tokens = CounterMetricFamily("gptbuilder_tokens", "Tokens read and written by models.", labels=["direction"])
    tokens.add_metric(["input"], found.input_tokens)
    tokens.add_metric(["output"], found.output_tokens)
    yield tokens
    buckets = [
        (str(seconds), float(count))
        for seconds, count in zip(totals.FIRST_TOKEN_SECONDS, found.first_token_buckets, strict=True)
    ]
    yield HistogramMetricFamily(
        "gptbuilder_first_token_seconds",
        "From the person's message to the first token of the answer, by the end of the run.",
        buckets=[*buckets, ("+Inf", float(found.first_token_count))],
        sum_value=found.first_token_seconds,
    )


def _redis(now: datetime) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("gptbuilder_queue_length", "Tasks that no worker has taken yet.", labels=["queue"])
    for queue, length in presence.queued(figures.QUEUES).items():
        waiting.add_metric([queue], length)
    yield waiting
    processes = presence.processes(now.timestamp())
    alive = [process for process in processes if process.kind != presence.CLOCK]
    memory = GaugeMetricFamily(
        "gptbuilder_process_memory_bytes", "Resident memory of each process that lives.", labels=["kind", "process"]
    )
    for process in alive:
        memory.add_metric([process.kind, process.name], process.memory_bytes)
    yield memory
    yield GaugeMetricFamily(
        "gptbuilder_streams_open",
        "Pages that follow an answer.",
        value=sum(process.work for process in alive if process.kind == presence.WEB),
    )
    if ticks := [process.seen_at for process in processes if process.kind == presence.CLOCK]:
        yield GaugeMetricFamily("gptbuilder_clock_tick_seconds", "Unix time of the clock's last tick.", value=ticks[0])
    yield CounterMetricFamily("gptbuilder_errors", "Lines logged as errors by any process.", value=presence.errors())
