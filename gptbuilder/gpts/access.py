"""Sharing a GPT and opening what was shared."""

from __future__ import annotations

from gptbuilder.accounts.models import User
from gptbuilder.gpts.models import GPT, LinkVisit
from gptbuilder.lib.ids import new_token
from gptbuilder.web.ready import Ready


def usable(gpt_id: str, person: User | None) -> GPT | None:
    """The GPT with draft and live version if this person may talk to it now. One query."""
    if person is None:
        return None
    return (FOR_GUESTS if person.is_guest else FOR_MEMBERS).first(person.pk, gpt_id)


def _usable(kind: str) -> Ready[GPT]:
    return Ready(
        lambda person_id, gpt_id: (
            GPT.objects.usable_by(User(pk=person_id, kind=kind))
            .select_related("draft", "live_version")
            .filter(pk=gpt_id)
        ),
        str,
        str,
    )


FOR_MEMBERS, FOR_GUESTS = _usable(User.Kind.MEMBER), _usable(User.Kind.GUEST)


def share(gpt: GPT, audience: str) -> None:
    """Say who may use the GPT. A link that existed before is kept; only `revoke_link` ends it."""
    gpt.audience = audience
    if audience == GPT.Audience.LINK and not gpt.link_token:
        gpt.link_token = new_token()
    gpt.save(update_fields=["audience", "link_token", "updated_at"])


def revoke_link(gpt: GPT) -> None:
    """End the link for everybody who has it. Sharing again makes another one."""
    gpt.audience = GPT.Audience.PRIVATE
    gpt.link_token = None
    gpt.save(update_fields=["audience", "link_token", "updated_at"])


def by_link(token: str) -> GPT:
    """The published GPT behind this link. Raises GPT.DoesNotExist."""
    return GPT.objects.select_related("live_version", "owner").get(
        link_token=token,
        audience=GPT.Audience.LINK,
        live_version__isnull=False,
        deleted_at=None,
        owner__is_active=True,
    )


def remember_visit(gpt: GPT, person: User) -> None:
    """This person opened the GPT by its present link, and may use it while that link lasts."""
    if gpt.owner_id != person.pk and gpt.link_token:
        LinkVisit.objects.update_or_create(gpt=gpt, person=person, defaults={"token": gpt.link_token})
