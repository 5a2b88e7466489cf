"""The Celery application: queues `runs` (threads), `indexing` and `default` (prefork), and one beat.

Imported by whatever starts a process (asgi, manage, the workers), so that tasks find their broker.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gptbuilder.settings")

app = Celery("gptbuilder")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# The current application is one per thread; the default is for all of them.
app.set_default()
