"""The state of every service an installation is made of, in words for its operator."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import celery
import django
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Q
from django.template.defaultfilters import filesizeformat
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from redis.exceptions import RedisError

import gptbuilder
from gptbuilder.conversations.models.run import Run
from gptbuilder.web import model_notice, presence, redis_client

State = Literal["good", "caution", "bad"]

# What a failure of the endpoint is, and not of the question.
MODEL_FAILURES = ("unreachable", "unauthorized", "model_missing", "rate_limited", "timed_out", "garbage", "broken")
MODEL_WINDOW = timedelta(minutes=15)
CLOCK_LATE_SECONDS = 30.0
DISK_LOW_SHARE = 0.1
DISK_LOW_BYTES = 2_000_000_000
DISK_FULL_BYTES = 200_000_000


@dataclass(frozen=True)
class Part:
    """One service. `says` is one sentence about it; `detail` is for who looks twice."""

    name: str | Promise
    state: State
    says: str
    detail: str = ""


NAMES = {
    "database": gettext_lazy("Database"),
    "redis": gettext_lazy("Redis"),
    "model": gettext_lazy("Language model"),
    "web": gettext_lazy("Pages"),
    "runs": gettext_lazy("Answering"),
    "indexing": gettext_lazy("Background work"),
    "clock": gettext_lazy("Clock"),
    "disk": gettext_lazy("Disk"),
}


def states(now: datetime) -> list[Part]:
    """Every service, always in the same order. Never raises: a part that does not answer is a bad one."""
    try:
        processes = presence.processes(now.timestamp())
    except (RedisError, OSError):
        processes = None
    return [
        _asked("database", _database),
        _asked("redis", _redis),
        _asked("model", lambda: _model(now)),
        _workers("web", processes),
        _workers("runs", processes),
        _workers("indexing", processes),
        _clock(processes, now.timestamp()),
        _asked("disk", _disk),
    ]


def versions() -> list[tuple[str | Promise, str]]:
    """What is installed here, for a question to somebody who can help."""
    return [
        ("GPT Builder", gptbuilder.__version__),
        ("Python", platform.python_version()),
        ("Django", django.get_version()),
        ("Celery", celery.__version__),
        (_("System"), f"{platform.system()} {platform.release()}, {os.cpu_count()} × {platform.machine()}"),
    ]


def _asked(key: str, ask: Callable[[], Part]) -> Part:
    try:
        return ask()
    except (DatabaseError, RedisError, OSError):
        return Part(NAMES[key], "bad", _("Does not answer. The log of the pages says why."))


def _database() -> Part:
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), current_setting('max_connections')::int, count(*) "
            "FROM pg_stat_activity WHERE backend_type = 'client backend'"
        )
        version, most, connections = cursor.fetchone()
    milliseconds = (time.perf_counter() - began) * 1000
    says = _("Answers in %(count)s ms; %(used)d of %(most)d connections are in use.") % {
        "count": f"{milliseconds:.0f}", "used": connections, "most": most,
    }  # fmt: skip
    return Part(NAMES["database"], "caution" if connections > most * 0.9 else "good", says, f"PostgreSQL {version}")


def _redis() -> Part:
    began = time.perf_counter()
    told: Any = redis_client.connection().info()
    milliseconds = (time.perf_counter() - began) * 1000
    used, most = told["used_memory"], told.get("maxmemory", 0)
    says = _("Answers in %(count)s ms and uses %(memory)s of memory.") % {
        "count": f"{milliseconds:.0f}",
        "memory": filesizeformat(used),
    }
    name = "Valkey" if "valkey_version" in told else "Redis"
    version = told.get("valkey_version") or told.get("redis_version", "")
    return Part(NAMES["redis"], "caution" if most and used > most * 0.9 else "good", says, f"{name} {version}")


def _model(now: datetime) -> Part:
    """Told by the answers of the last minutes: nobody is asked anything for it."""
    notice = model_notice.read()
    if notice.failed or notice.is_loading:
        return Part(NAMES["model"], "bad" if notice.failed else "caution", notice.sentence)
    counts = Run.objects.filter(finished_at__gt=now - MODEL_WINDOW).aggregate(
        failed=Count("pk", filter=Q(error_code__in=MODEL_FAILURES)),
        answered=Count("pk", filter=Q(status__in=[Run.Status.COMPLETED, Run.Status.INCOMPLETE])),
    )
    detail = f"{settings.OPENAI_MODEL}"
    failed, answered = counts["failed"], counts["answered"]
    if failed:
        says = _("Failed %(failed)d times in the last 15 minutes and answered %(answered)d times.") % counts
        return Part(NAMES["model"], "caution" if answered > failed else "bad", says, detail)
    if answered:
        says = ngettext(
            "Answered once in the last 15 minutes.", "Answered %(count)d times in the last 15 minutes.", answered
        ) % {"count": answered}
        return Part(NAMES["model"], "good", says, detail)
    return Part(NAMES["model"], "good", _("Nobody has asked in the last 15 minutes."), detail)


def _workers(kind: str, processes: list[presence.Process] | None) -> Part:
    if processes is None:
        return Part(NAMES[kind], "bad", _("Unknown while Redis does not answer."))
    found = [process for process in processes if process.kind == kind]
    if not found:
        return Part(NAMES[kind], "bad", _("No process says that it lives. Start one, or look into its log."))
    says = ngettext("One process lives.", "%(count)d processes live.", len(found)) % {"count": len(found)}
    work = sum(process.work for process in found)
    if kind == presence.RUNS and work:
        says += " " + ngettext("It has one answer in hand.", "%(count)d answers are in hand.", work) % {"count": work}
    if kind == presence.WEB and work:
        says += " " + ngettext("One page follows an answer.", "%(count)d pages follow answers.", work) % {"count": work}
    each = [f"{process.name} {filesizeformat(process.memory_bytes)}" for process in found]
    return Part(NAMES[kind], "good", says, ", ".join(each))


def _clock(processes: list[presence.Process] | None, now: float) -> Part:
    """It ticks by what it sends, so it also stands still while background work does."""
    if processes is None:
        return Part(NAMES["clock"], "bad", _("Unknown while Redis does not answer."))
    ticks = [process.seen_at for process in processes if process.kind == presence.CLOCK]
    if not ticks:
        return Part(NAMES["clock"], "bad", _("Has not ticked within the hour. Interrupted answers wait for it."))
    seconds = max(0, int(now - ticks[0]))
    if seconds > CLOCK_LATE_SECONDS:
        says = _("Ticked last %(seconds)d seconds ago; it should every five. Interrupted answers wait for it.")
        return Part(NAMES["clock"], "bad", says % {"seconds": seconds})
    return Part(NAMES["clock"], "good", _("Ticked %(seconds)d seconds ago.") % {"seconds": seconds})


def _disk() -> Part:
    media = Path(settings.MEDIA_ROOT)
    folder = next(path for path in (media, *media.absolute().parents) if path.exists())
    usage = shutil.disk_usage(folder)
    low = usage.free < DISK_LOW_BYTES or usage.free < usage.total * DISK_LOW_SHARE
    says = _("%(free)s of %(total)s are free.") % {
        "free": filesizeformat(usage.free),
        "total": filesizeformat(usage.total),
    }
    state: State = "bad" if usage.free < DISK_FULL_BYTES else "caution" if low else "good"
    return Part(NAMES["disk"], state, says, str(folder))
