"""The Celery application: queues `runs` (threads), `indexing` and `default` (prefork), and one beat.

Imported by whatever starts a process (asgi, manage, the workers), so that tasks find their broker.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gptbuilder.settings")

app = Celery("gptbuilder")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# The current application is one per thread; the default is for all of them.
app.set_default()


@setup_logging.connect
def leave_logging_alone(**_: Any) -> None:
    """Django has set it up; Celery would keep back everything below WARNING."""
