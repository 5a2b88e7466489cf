"""Where sessions are kept: in the database, as Django does it. Reading one is a query of every request."""

from __future__ import annotations

from datetime import datetime

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from gptbuilder.web.ready import Ready

LIVING = Ready(lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now), str, datetime)


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        found = LIVING.first(self.session_key, timezone.now())
        if found is None:
            self._session_key = None
        return found
