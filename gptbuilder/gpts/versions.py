"""Freezing drafts, publishing, restoring, pruning."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from gptbuilder.accounts.models import User
from gptbuilder.gpts import drafts
from gptbuilder.gpts.models import GPT, Draft, GPTVersion


def snapshot(draft: Draft) -> GPTVersion:
    """The draft, frozen: the same row as long as nothing changed. Safe to call twice at once."""
    digest = draft.digest()
    same = GPTVersion.objects.filter(gpt_id=draft.gpt_id, digest_sha256=digest)
    found = same.order_by("-number", "-id").first()
    if found:
        return found
    version, _created = GPTVersion.objects.get_or_create(
        gpt_id=draft.gpt_id, digest_sha256=digest, number=None, defaults=draft.configuration()
    )
    return version


def go_live(version: GPTVersion, by: User, now: datetime) -> GPTVersion:
    """Make this version the one that others use. A snapshot gets the next number.

    A version that was published before and is not live any more comes back as a new number, restored from the
    old one; history only grows. Publishing what is live already changes nothing.
    """
    with transaction.atomic():
        gpt = GPT.objects.select_for_update().get(pk=version.gpt_id)
        version = GPTVersion.objects.get(pk=version.pk)
        if gpt.live_version_id == version.pk:
            return version
        number = (gpt.versions.aggregate(last=Max("number"))["last"] or 0) + 1
        if version.number is None:
            GPTVersion.objects.filter(pk=version.pk).update(number=number, published_at=now, published_by=by)
            version.refresh_from_db()
        else:
            version = GPTVersion.objects.create(
                gpt=gpt,
                digest_sha256=version.digest_sha256,
                number=number,
                restored_from=version.number,
                published_at=now,
                published_by=by,
                **version.configuration(),
            )
        gpt.live_version = version
        gpt.save(update_fields=["live_version", "updated_at"])
    return version


def publish(gpt: GPT, by: User, now: datetime) -> GPTVersion:
    """Freeze the draft and make it live."""
    return go_live(snapshot(Draft.objects.get(gpt=gpt)), by, now)


def restore(version: GPTVersion) -> list[drafts.Change]:
    """Bring the draft back to this version. What others use stays as it is until it is published."""
    return drafts.apply(version.gpt_id, version.configuration())


def prune(now: datetime, references: list[str]) -> int:
    """Delete snapshots older than a day that nothing refers to; gives their number.

    `references` names the reverse relations that keep a snapshot, such as `threads`.
    """
    unused = GPTVersion.objects.filter(number=None, live_for=None, created_at__lt=now - timedelta(days=1))
    for reference in references:
        unused = unused.filter(**{f"{reference}__isnull": True})
    deleted, _rows = unused.delete()
    return deleted
