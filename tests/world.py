"""The small world of the tests: Ada builds, Ben is her colleague, Cleo is a stranger, Mo administers."""

from __future__ import annotations

from django.utils import timezone

from gptbuilder.accounts.models import User
from gptbuilder.gpts import access, drafts, versions
from gptbuilder.gpts.models import GPT

PASSWORD = "a long walk by the lake"


def person(name: str) -> User:
    found = User.objects.filter(email=f"{name.lower()}@example.org").first()
    return found or User.objects.create_user(
        f"{name.lower()}@example.org", PASSWORD, name=name, is_staff=name == "Mo", is_superuser=name == "Mo"
    )


def trail_planner(owner: User, **fields: object) -> GPT:
    """A GPT with a complete draft, not published."""
    gpt = drafts.create(owner)
    drafts.apply(
        gpt.pk,
        {
            "name": "Trail Planner",
            "description": "Day hikes a family will finish smiling.",
            "instructions": "Ask how old the children are before you suggest a hike.",
            "starters": ["Five flat kilometres with a lake", "下雨天带孩子去哪里走走？"],
            **fields,
        },
    )
    return GPT.objects.select_related("draft").get(pk=gpt.pk)


def shared_trail_planner(owner: User) -> GPT:
    """The same, published and shared by a link."""
    gpt = trail_planner(owner)
    versions.publish(gpt, by=owner, now=timezone.now())
    gpt.refresh_from_db()
    access.share(gpt, GPT.Audience.LINK)
    return gpt
