"""The user, and one-time sign-in links."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gptbuilder.lib.ids import new_id


def new_user_id() -> str:
    return new_id("user")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str | None, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower() if email else None, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def operator(self) -> User:
        """The account that owns what the installation itself offers. Nobody can sign in to it."""
        user, _created = self.get_or_create(kind=User.Kind.OPERATOR, defaults={"name": "Operator", "password": "!"})
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person, a guest without credentials, or the operator.

    A guest has neither e-mail nor usable password and belongs to one browser session.
    """

    class Kind(models.TextChoices):
        MEMBER = "member", _("member")
        GUEST = "guest", _("guest")
        OPERATOR = "operator", _("operator")

    class Appearance(models.TextChoices):
        SYSTEM = "", _("Same as the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    id = models.CharField(primary_key=True, max_length=40, default=new_user_id, editable=False)
    email = models.EmailField(_("e-mail"), unique=True, null=True, blank=True)
    name = models.CharField(_("name"), max_length=80, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.MEMBER)
    language = models.CharField(max_length=10, blank=True)
    appearance = models.CharField(max_length=10, choices=Appearance, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=models.Q(kind="operator"), name="one_operator"),
            models.CheckConstraint(
                condition=~models.Q(kind="member") | models.Q(email__isnull=False), name="member_has_email"
            ),
        ]
        indexes = [models.Index(fields=["last_seen_at"], condition=models.Q(kind="guest"), name="guests_by_last_seen")]

    def __str__(self) -> str:
        return self.name or self.email or self.kind

    @property
    def is_guest(self) -> bool:
        return self.kind == self.Kind.GUEST

    @property
    def initials(self) -> str:
        words = str(self).replace("@", " ").split()
        return "".join(word[0] for word in words[:2]).upper()


class SignInLink(models.Model):
    """Signs one person in, once. Only the hash of its token is kept."""

    token_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_links")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"sign-in link of {self.user_id}"
