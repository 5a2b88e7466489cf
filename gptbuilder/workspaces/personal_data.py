"""What workspaces keeps of a person: their own one, and where they belong."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext

from gptbuilder.accounts.models import User
from gptbuilder.accounts.personal_data import Holding, Table
from gptbuilder.workspaces.models import Membership, Workspace


def obstacles(person: User) -> Iterable[str]:
    """A workspace with others in it must not be left without an owner."""
    owned = Workspace.objects.filter(
        personal_of=None, memberships__user=person, memberships__role=Membership.Role.OWNER
    )
    for workspace in owned:
        others = workspace.memberships.exclude(user=person)
        if others.exists() and not others.filter(role=Membership.Role.OWNER).exists():
            yield gettext("You are the only owner of %(workspace)s. Make somebody else its owner first.") % {
                "workspace": workspace
            }


def delete(person: User) -> None:
    """A workspace in which nobody else is goes with its last person."""
    alone = Workspace.objects.filter(personal_of=None, memberships__user=person)
    for workspace in alone:
        if not workspace.memberships.exclude(user=person).exists():
            workspace.delete()


HOLDING = Holding(
    tables=(
        Table("workspaces.Workspace", lambda person: Workspace.objects.filter(personal_of=person)),
        Table("workspaces.Membership", lambda person: Membership.objects.filter(user=person)),
    ),
    delete=delete,
    obstacles=obstacles,
)
