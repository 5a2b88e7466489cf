"""Files that were read, for tests of what a run does with them: their passages are in the index, without a reader."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from django.core.files.base import ContentFile

from gptbuilder.accounts.models import User
from gptbuilder.gpts import drafts
from gptbuilder.gpts.models import GPT
from gptbuilder.knowledge import lexical
from gptbuilder.knowledge.models import Content, KnowledgeFile, Passage
from gptbuilder.workspaces.models import Workspace


def file_of(owner: User, name: str, pages: Sequence[str]) -> KnowledgeFile:
    """A file with a passage for each page, searchable by words."""
    text = "\f".join(pages)
    content = Content(
        workspace=Workspace.objects.personal(owner),
        sha256=hashlib.sha256((name + text).encode()).hexdigest(),
        size_bytes=len(text.encode()) or 1,
        kind="pdf",
        state=Content.State.WORDS if pages else Content.State.UPLOADED,
        outcome="ok" if pages else "",
        section_count=len(pages),
        passage_count=len(pages),
    )
    content.file.save("", ContentFile(text.encode()), save=False)
    content.save()
    rows = Passage.objects.bulk_create(
        Passage(
            content=content,
            position=at,
            kind="page",
            number=at + 1,
            text=page,
            sha256=hashlib.sha256(page.encode()).hexdigest(),
        )
        for at, page in enumerate(pages)
    )
    analysis = lexical.analyse(pages)
    lexical.write(content.pk, [row.pk for row in rows], analysis)
    Content.objects.filter(pk=content.pk).update(language=analysis.language, word_count=analysis.word_count)
    return KnowledgeFile.objects.create(
        workspace=content.workspace, uploaded_by=owner, content=content, name=name, size_bytes=content.size_bytes
    )


def give(gpt: GPT, *files: KnowledgeFile, mode: str = "search", **more: object) -> None:
    """Put the files into the draft."""
    entries = [{"id": file.pk, "name": file.name, "mode": mode} for file in files]
    drafts.apply(gpt.pk, {"files": entries, **more})
    gpt.draft.refresh_from_db()
