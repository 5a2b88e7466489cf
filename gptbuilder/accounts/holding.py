"""What accounts keeps of a person, with allauth's and Django's tables of people."""

from __future__ import annotations

from collections.abc import Iterable

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.utils.translation import gettext

from gptbuilder.accounts.models import DataExport, Notification, NotificationChoice, SignInLink, User
from gptbuilder.accounts.personal_data import Holding, Table, remove_files


def delete(person: User) -> None:
    """Sessions, files of exports, and what administrators' log says of the person."""
    for session in UserSession.objects.filter(user=person):
        session.end()
    LogEntry.objects.filter(object_id=person.pk).delete()
    remove_files(export.file.name for export in person.data_exports.all() if export.file)


def obstacles(person: User) -> Iterable[str]:
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk)
    if person.is_superuser and not others.exists():
        yield gettext("You are the only administrator of this site. Make somebody else one first.")


HOLDING = Holding(
    tables=(
        Table("accounts.User", lambda person: User.objects.filter(pk=person.pk), without=("password",)),
        Table("accounts.SignInLink", lambda person: SignInLink.objects.filter(user=person), without=("token_hash",)),
        Table("accounts.NotificationChoice", lambda person: NotificationChoice.objects.filter(user=person)),
        Table("accounts.Notification", lambda person: Notification.objects.filter(user=person)),
        Table("accounts.DataExport", lambda person: DataExport.objects.filter(user=person), without=("file",)),
        Table("account.EmailAddress", lambda person: EmailAddress.objects.filter(user=person)),
        Table("mfa.Authenticator", lambda person: Authenticator.objects.filter(user=person), without=("data",)),
        Table(
            "usersessions.UserSession", lambda person: UserSession.objects.filter(user=person), without=("session_key",)
        ),
        Table("socialaccount.SocialAccount", lambda person: SocialAccount.objects.filter(user=person)),
        Table("admin.LogEntry", lambda person: LogEntry.objects.filter(user=person)),
    ),
    impersonal={
        "account.EmailConfirmation": "a key that was mailed; goes with the address",
        "socialaccount.SocialApp": "an identity provider; those of the settings are not kept here",
        "socialaccount.SocialToken": "tokens of providers are not stored",
        "sessions.Session": "sealed state of a browser; ended with the account, cleared when it expires",
        "auth.Permission": "names of rights",
        "auth.Group": "names of groups",
        "auth.Group_permissions": "rights of groups",
        "accounts.User_groups": "an administrator's choice; goes with the person",
        "accounts.User_user_permissions": "an administrator's choice; goes with the person",
        "contenttypes.ContentType": "names of models",
    },
    delete=delete,
    obstacles=obstacles,
)
