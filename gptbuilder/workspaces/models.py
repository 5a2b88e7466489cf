"""Workspaces and who belongs to them."""

from __future__ import annotations

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts.models import User
from gptbuilder.lib.ids import new_id
from gptbuilder.web.ready import Ready


def new_workspace_id() -> str:
    return new_id("ws")


class WorkspaceManager(models.Manager["Workspace"]):
    def personal(self, user: User) -> Workspace:
        """The person's own workspace; made when first asked for. Safe to call twice at once."""
        if found := PERSONAL.first(user.pk):
            return found
        with transaction.atomic():
            workspace, created = self.get_or_create(personal_of=user, defaults={"name": str(user)})
            if created:
                workspace.memberships.create(user=user, role=Membership.Role.OWNER)
        return workspace


class Workspace(models.Model):
    id = models.CharField(primary_key=True, max_length=40, default=new_workspace_id, editable=False)
    name = models.CharField(max_length=120)
    personal_of = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="personal_workspace"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceManager()

    def __str__(self) -> str:
        return self.name


PERSONAL = Ready(lambda person_id: Workspace.objects.filter(personal_of=person_id), str)


class Membership(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        ADMIN = "admin", _("administrator")
        MEMBER = "member", _("member")

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="one_membership")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.workspace_id}"
