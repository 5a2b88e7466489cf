"""Who may sign in, and who a session belongs to: Django's and allauth's answers. Reading a person is a query of
every request."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.backends import ModelBackend

from gptbuilder.accounts.models import User
from gptbuilder.web.ready import Ready

PERSON = Ready(lambda user_id: User.objects.filter(pk=user_id), str)


class _Known(ModelBackend):
    def get_user(self, user_id: str) -> User | None:
        user = PERSON.first(user_id)
        return user if user and self.user_can_authenticate(user) else None


class AdminBackend(_Known):
    """Signs in to Django's admin."""


class PageBackend(_Known, AuthenticationBackend):  # type: ignore[misc]
    """Signs in everywhere else."""
