"""The Celery application: queues `runs`, `indexing` and `default`, and one clock that sends what is due.

The clock is a process of its own, or a thread of the one worker that is started with `--clock FILE`.

Imported by whatever starts a process (asgi, manage, the workers), so that tasks find their broker.
"""

import os
from typing import Any

import click
from celery import Celery, bootsteps
from celery.beat import EmbeddedService
from celery.signals import setup_logging, worker_ready

from gptbuilder.lib import garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gptbuilder.settings")
# They import every page, 15 MB that a worker does not need. `migrate` runs them before anything starts.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("gptbuilder")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# The current application is one per thread; the default is for all of them.
app.set_default()


@setup_logging.connect
def leave_logging_alone(**_: Any) -> None:
    """Django has set it up; Celery would keep back everything below WARNING."""


@worker_ready.connect
def settle(**_: Any) -> None:
    garbage.settle()


class Clock(bootsteps.StartStopStep):
    """Celery's scheduler in this worker: a process for it alone would take 45 MB."""

    def __init__(self, parent: Any, clock: str = "", **options: Any) -> None:
        super().__init__(parent, **options)
        self.enabled = bool(clock)
        self.service: Any = EmbeddedService(parent.app, thread=True, schedule_filename=clock) if clock else None

    def start(self, parent: Any) -> None:
        self.service.start()

    def stop(self, parent: Any) -> None:
        self.service.stop()


app.steps["worker"].add(Clock)
app.user_options["worker"].add(click.Option(["--clock"], default="", help="Be the clock, and keep its times in FILE."))
