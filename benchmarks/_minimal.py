"""The least that Django does for a message: a POST with session, CSRF check, four queries and a task for Celery.

`streaming` serves it beside the product, on the same database and broker, and tells what one request costs here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from django.conf import settings

from gptbuilder.environment import broker, database

settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {**database(os.environ["DATABASE_URL"]), "ENGINE": "django.db.backends.postgresql"}},
    INSTALLED_APPS=["django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
)

import django  # noqa: E402

django.setup()

from celery import Celery  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

QUERIES = 4

celery = Celery(broker=broker(os.environ["REDIS_URL"]))


def message(request: HttpRequest) -> HttpResponse:
    person = request.session["_auth_user_id"]
    for _ in range(QUERIES):
        Session.objects.get(pk=request.session.session_key)
    celery.send_task("nobody", [person], queue="nobody")
    return HttpResponse(request.POST["text"])


urlpatterns = [path("", message)]
application = get_asgi_application()
