"""GPT, Draft, GPTVersion, Picture, LinkVisit."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts.models import User
from gptbuilder.lib.ids import new_id
from gptbuilder.workspaces.models import Workspace


def new_gpt_id() -> str:
    return new_id("gpt")


def new_version_id() -> str:
    return new_id("ver")


def new_picture_id() -> str:
    return new_id("pic")


class GPTQuerySet(models.QuerySet["GPT"]):
    def editable_by(self, person: User | None) -> GPTQuerySet:
        """The GPTs whose draft, versions and sharing this person may see and change."""
        if person is None:
            return self.none()
        return self.filter(owner=person, builtin=None, deleted_at=None)

    def deleted_by(self, person: User | None) -> GPTQuerySet:
        """The GPTs this person deleted and can still bring back."""
        if person is None:
            return self.none()
        return self.filter(owner=person, builtin=None, deleted_at__isnull=False)

    def usable_by(self, person: User | None) -> GPTQuerySet:
        """The GPTs this person may talk to now: their own, those whose present link they opened, and for members
        the operator's."""
        if person is None:
            return self.none()
        opened = LinkVisit.objects.filter(gpt=OuterRef("pk"), person=person, token=OuterRef("link_token"))
        usable = Q(owner=person) | Q(
            Exists(opened), audience=GPT.Audience.LINK, live_version__isnull=False, owner__is_active=True
        )
        if not person.is_guest:
            usable |= Q(builtin=GPT.Builtin.DEFAULT)
        return self.filter(usable, deleted_at=None)


class GPT(models.Model):
    """The identity a person makes. What it does stands in its draft and its versions.

    With `deleted_at` nobody can use or edit it; its owner can bring it back until it is purged.
    """

    class Audience(models.TextChoices):
        PRIVATE = "private", _("Only me")
        LINK = "link", _("Anyone with the link")

    class Builtin(models.TextChoices):
        DEFAULT = "default", _("the GPT of a new chat")
        BUILDER = "builder", _("the builder")

    id = models.CharField(primary_key=True, max_length=40, default=new_gpt_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="gpts")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="gpts")
    audience = models.CharField(max_length=10, choices=Audience, default=Audience.PRIVATE)
    link_token = models.CharField(max_length=40, null=True, unique=True, editable=False)
    live_version = models.ForeignKey(
        "GPTVersion", on_delete=models.SET_NULL, null=True, blank=True, related_name="live_for"
    )
    builtin = models.CharField(max_length=10, choices=Builtin, null=True, blank=True, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = GPTQuerySet.as_manager()

    class Meta:
        verbose_name = _("GPT")
        verbose_name_plural = _("GPTs")
        indexes = [models.Index(fields=["owner", "-updated_at"])]
        constraints = [
            models.CheckConstraint(
                condition=~Q(audience="link") | Q(link_token__isnull=False), name="link_audience_has_token"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class Configuration(models.Model):
    """What a GPT does: shared by the draft, which changes, and the versions, which do not.

    `files` lists its knowledge as `{"id", "name", "mode"}`: the id of a knowledge.KnowledgeFile, what it is called
    here, and "search" or "full". Of a confidential GPT nobody but its owner sees files or passages; an answer repeats
    at most `quote_words` words of a passage in a row.
    """

    NAME_LENGTH = 40
    DESCRIPTION_LENGTH = 300
    INSTRUCTIONS_LENGTH = 16_000
    STARTER_LENGTH = 200
    STARTERS_MOST = 8

    name = models.CharField(_("Name"), max_length=NAME_LENGTH, blank=True)
    description = models.CharField(_("Description"), max_length=DESCRIPTION_LENGTH, blank=True)
    instructions = models.TextField(_("Instructions"), max_length=INSTRUCTIONS_LENGTH, blank=True)
    starters = ArrayField(models.CharField(max_length=STARTER_LENGTH), default=list, blank=True)
    picture = models.ForeignKey("Picture", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    capabilities = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    model = models.CharField(max_length=200, blank=True)
    files = models.JSONField(default=list, blank=True)
    is_confidential = models.BooleanField(default=False)
    quote_words = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        abstract = True

    FIELDS = (
        "name",
        "description",
        "instructions",
        "starters",
        "picture_id",
        "capabilities",
        "model",
        "files",
        "is_confidential",
        "quote_words",
    )
    # They came later: a digest leaves them out while they are empty, so that those made before stay true.
    LATER_FIELDS = ("model", "files", "is_confidential", "quote_words")

    def configuration(self) -> dict[str, Any]:
        """The configuration as plain values, by field name."""
        return {field: getattr(self, field) for field in self.FIELDS}

    def digest(self) -> str:
        """SHA-256 of the configuration: equal exactly when nothing differs."""
        values = {name: value for name, value in self.configuration().items() if value or name not in self.LATER_FIELDS}
        text = json.dumps(values, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


class Draft(Configuration):
    """The editable configuration of a GPT: exactly one. `revision` grows with every change.

    The builder leaves `locked_fields` alone. A lock is no part of the configuration: it changes no digest.
    """

    LOCKABLE = ("name", "description", "instructions", "starters", "picture_id")

    gpt = models.OneToOneField(GPT, on_delete=models.CASCADE, primary_key=True, related_name="draft")
    revision = models.PositiveIntegerField(default=0)
    locked_fields = ArrayField(models.CharField(max_length=40), default=list, blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [GinIndex(fields=["files"], name="drafts_by_file", opclasses=["jsonb_path_ops"])]

    def __str__(self) -> str:
        return self.name or str(_("New GPT"))


class GPTVersion(Configuration):
    """A frozen configuration. A snapshot has a digest and no number; publishing gives the next number.

    A database trigger refuses any change but that one. Snapshots that nothing refers to are pruned.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_version_id, editable=False)
    gpt = models.ForeignKey(GPT, on_delete=models.CASCADE, related_name="versions")
    digest_sha256 = models.CharField(max_length=64, editable=False)
    number = models.PositiveIntegerField(null=True, editable=False)
    restored_from = models.PositiveIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        constraints = [
            models.UniqueConstraint(fields=["gpt", "number"], name="one_version_per_number"),
            models.UniqueConstraint(
                fields=["gpt", "digest_sha256"], condition=Q(number=None), name="one_snapshot_per_digest"
            ),
        ]
        indexes = [
            models.Index(fields=["gpt", "digest_sha256"]),
            GinIndex(fields=["files"], name="versions_by_file", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number or self.digest_sha256[:8]}"


class Picture(models.Model):
    """A GPT's picture, checked and re-encoded to a square WebP of 512 pixels."""

    id = models.CharField(primary_key=True, max_length=40, default=new_picture_id, editable=False)
    gpt = models.ForeignKey(GPT, on_delete=models.CASCADE, related_name="pictures")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    file = models.FileField(upload_to="pictures/")
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.id)


class LinkVisit(models.Model):
    """This person opened this GPT by this link. It counts as long as the GPT still has that link."""

    gpt = models.ForeignKey(GPT, on_delete=models.CASCADE, related_name="link_visits")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="link_visits")
    token = models.CharField(max_length=40)
    visited_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gpt", "person"], name="one_link_visit")]

    def __str__(self) -> str:
        return f"{self.person_id} at {self.gpt_id}"
