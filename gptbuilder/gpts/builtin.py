"""The GPTs that every installation has, owned by the operator: the one of a new chat, and the builder.

They are ordinary GPTs: an operator edits their drafts and publishes them. They are made when first needed.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from gptbuilder.accounts.models import User
from gptbuilder.gpts import versions
from gptbuilder.gpts.models import GPT, Draft, GPTVersion
from gptbuilder.web.ready import Ready
from gptbuilder.workspaces.models import Workspace

KNOWN = Ready(lambda builtin: GPT.objects.select_related("live_version", "draft").filter(builtin=builtin), str)

DEFAULTS = {
    GPT.Builtin.DEFAULT: {
        "name": "Assistant",
        "description": "Ask anything, or make a GPT of your own.",
        "instructions": "Answer helpfully, correctly and briefly, in the language of the person. "
        "Say so when you do not know something.",
        "starters": [
            "Explain compound interest with an example",
            "Help me write a kind message that says no",
            "Plan three simple dinners for this week",
            "用简单的话解释什么是通货膨胀",
        ],
    },
    GPT.Builtin.BUILDER: {
        "name": "Builder",
        "description": "Makes GPTs by talking.",
        "instructions": "",
        "starters": [],
    },
}


def default_gpt() -> GPT:
    return _get(GPT.Builtin.DEFAULT)


def builder_gpt() -> GPT:
    return _get(GPT.Builtin.BUILDER)


def live(gpt: GPT) -> GPTVersion:
    """The live version; of a GPT that has none, its draft frozen."""
    return gpt.live_version or versions.snapshot(gpt.draft)


def _get(builtin: str) -> GPT:
    return KNOWN.first(builtin) or _make(builtin)


def _make(builtin: str) -> GPT:
    with transaction.atomic():
        operator = User.objects.operator()
        gpt, created = GPT.objects.get_or_create(
            builtin=builtin, defaults={"owner": operator, "workspace": Workspace.objects.personal(operator)}
        )
        if created:
            Draft.objects.create(gpt=gpt, **DEFAULTS[GPT.Builtin(builtin)])
            versions.publish(gpt, by=operator, now=timezone.now())
    return GPT.objects.select_related("live_version", "draft").get(builtin=builtin)
