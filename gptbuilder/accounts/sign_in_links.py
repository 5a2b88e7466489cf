"""One-time links that sign one person in: for the first administrator, and for a way back in.

The token is shown once and only its hash is kept, so reading the database signs nobody in.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from gptbuilder.accounts.models import SignInLink, User

LIFETIME = timedelta(hours=24)


def make(user: User, now: datetime) -> str:
    """A new token for `user`, valid for 24 hours and one use. Forgets the person's spent and expired links."""
    user.sign_in_links.filter(Q(used_at__isnull=False) | Q(expires_at__lte=now)).delete()
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(token_hash=_hash(token), user=user, expires_at=now + LIFETIME)
    return token


def is_valid(token: str, now: datetime) -> bool:
    """Whether `use` would find somebody. Looking does not spend the link."""
    return _usable(token, now).exists()


def use(token: str, now: datetime) -> User | None:
    """Spend the link: its person, or None when it is unknown, spent or expired. Of two at once, one gets the person."""
    if not _usable(token, now).update(used_at=now):
        return None
    return SignInLink.objects.select_related("user").get(token_hash=_hash(token)).user


def _usable(token: str, now: datetime) -> QuerySet[SignInLink]:
    return SignInLink.objects.filter(
        token_hash=_hash(token), used_at__isnull=True, expires_at__gt=now, user__is_active=True
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
