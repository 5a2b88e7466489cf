"""The user, one-time sign-in links, notifications by e-mail, exports of one's data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gptbuilder.lib.ids import new_id


def new_user_id() -> str:
    return new_id("user")


def new_export_id() -> str:
    return new_id("export")


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

    A guest has neither e-mail nor usable password and belongs to one browser session. With `deletion_due_at` the
    person has closed the account, and all that is theirs is erased then unless they come back.
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
    deletion_due_at = models.DateTimeField(null=True, blank=True)

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
        indexes = [
            models.Index(fields=["last_seen_at"], condition=models.Q(kind="guest"), name="guests_by_last_seen"),
            models.Index(
                fields=["deletion_due_at"],
                condition=models.Q(deletion_due_at__isnull=False),
                name="accounts_to_delete",
            ),
        ]

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


class NotificationChoice(models.Model):
    """What a person said about one kind of notification. Without a row the kind is sent."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notification_choices")
    kind = models.CharField(max_length=40)
    by_email = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="one_choice_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.by_email}"


class Notification(models.Model):
    """One thing a person is told by e-mail: what waits to be sent, and for a month what was.

    `data` holds words for the sentence and never a secret. `address` is where it goes when that is not the person's
    present address. A sender claims it first, so that two do not send it at once.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    address = models.EmailField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], condition=models.Q(sent_at__isnull=True), name="notifications_to_send")
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.user_id}"


class DataExportQuerySet(models.QuerySet["DataExport"]):
    def of(self, person: User | None) -> DataExportQuerySet:
        """The exports this person may see: their own."""
        return self.filter(user=person) if person else self.none()

    def ready(self, now: datetime) -> DataExportQuerySet:
        return self.filter(status=DataExport.Status.READY, expires_at__gt=now)


class DataExport(models.Model):
    """A ZIP of all that is a person's, made by a worker, there for a week."""

    class Status(models.TextChoices):
        WORKING = "working", _("being made")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")
        GONE = "gone", _("no longer kept")

    id = models.CharField(primary_key=True, max_length=40, default=new_export_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="data_exports")
    status = models.CharField(max_length=10, choices=Status, default=Status.WORKING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    file = models.FileField(upload_to="exports/", blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)

    objects = DataExportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=models.Q(status="working"), name="one_export_at_a_time")
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_working(self) -> bool:
        return self.status == self.Status.WORKING

    @property
    def percent(self) -> int:
        return self.done * 100 // self.total if self.total else 0
