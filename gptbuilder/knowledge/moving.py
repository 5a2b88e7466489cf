"""Files change their person, when a guest turns out to be one who has an account."""

from __future__ import annotations

from django.db import transaction

from gptbuilder.accounts.models import User
from gptbuilder.knowledge import erasing
from gptbuilder.knowledge.models import Content, KnowledgeFile
from gptbuilder.workspaces.models import Workspace


def move(giver: User, taker: User) -> None:
    """All that the giver uploaded is the taker's now, in their personal workspace, which has each content once."""
    files = KnowledgeFile.objects.filter(uploaded_by=giver)
    if not files.exists():
        return
    workspace = Workspace.objects.personal(taker)
    with transaction.atomic():
        for content in Content.objects.select_for_update().filter(pk__in=files.values("content")):
            same = Content.objects.select_for_update().filter(workspace=workspace, sha256=content.sha256).first()
            if same is None:
                Content.objects.filter(pk=content.pk).update(workspace=workspace)
            elif same.pk != content.pk:
                KnowledgeFile.objects.filter(content=content).update(content=same)
                erasing.forget([content])
        files.update(uploaded_by=taker, workspace=workspace)
