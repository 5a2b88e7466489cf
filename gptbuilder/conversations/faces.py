"""How a GPT shows itself in a conversation: the configuration whose name and picture are on the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gptbuilder.conversations import citations, history, sentences
from gptbuilder.conversations.models.attachment import Attachment
from gptbuilder.conversations.models.feedback import Feedback
from gptbuilder.conversations.models.message import Message, Place
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.step import STEPS, RunStep
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.models.thread_file import ThreadFile
from gptbuilder.gpts import pictures
from gptbuilder.gpts.models import GPT, Configuration
from gptbuilder.web import markdown
from gptbuilder.web.ready import Ready

OPINION = Ready(lambda message_id, person_id: Feedback.objects.filter(message=message_id, person=person_id), str, str)
# Of a whole chat, with those of branches that are not shown: a query that is always the same.
OPINIONS = Ready(
    lambda thread_id, person_id: Feedback.objects.filter(message__thread=thread_id, person=person_id), str, str
)
IMAGES = Ready(lambda thread_id: Attachment.objects.filter(message__thread=thread_id), str)
FILES = Ready(
    lambda thread_id: ThreadFile.objects.filter(message__thread=thread_id).select_related("file__content"), str
)
BESIDE = Ready(
    lambda thread_id, parent_id: Message.objects.filter(thread=thread_id, parent=parent_id).order_by("pk").only("pk"),
    str,
    str,
)


def face(gpt: GPT, *, of_draft: bool = False) -> Configuration:
    """The draft in a preview, what is live elsewhere. A GPT that was never published shows its draft."""
    if of_draft or gpt.live_version is None:
        return gpt.draft
    return gpt.live_version


def answer_context(run: Run) -> dict[str, Any]:
    """What `conversations/_answer.html` needs. Expects thread, GPT, draft and answer to be fetched."""
    gpt = run.thread.gpt
    shown = face(gpt, of_draft=run.thread.purpose == Thread.Purpose.PREVIEW) if gpt else run.version
    try:
        answer: Message | None = None if run.is_active else run.answer
    except Message.DoesNotExist:
        answer = None
    return {
        "run": run,
        "message": answer,
        "cited": citations.cited(answer, run, _steps(run)) if answer else None,
        "face": shown,
        "picture": pictures.url(shown, gpt.pk) if shown and gpt else "",
        "failure": sentences.failure(run),
        "is_last": True,
        **(_asking(run) if run.status == Run.Status.REQUIRES_ACTION else {}),
    }


def _asking(run: Run) -> dict[str, Any]:
    """What it has said until it asked, and the calls that wait. One query."""
    steps = _steps(run)
    said = markdown.render(history.answer_so_far(steps))
    return {"said": said, "asked": [step for step in steps if step.is_waiting]}


def _steps(run: Run) -> list[RunStep]:
    """Those that were fetched with the run, or one query."""
    is_fetched = "steps" in getattr(run, "_prefetched_objects_cache", {})
    return list(run.steps.all()) if is_fetched else STEPS.rows(run.pk)


def ended_context(run: Run) -> dict[str, Any]:
    """The same for an answer that a page gets by itself when it is finished. `moved` when the thread has gone on
    since, so that the page has to be fetched anew."""
    context = answer_context(run)
    message = context["message"]
    if message:
        furnish([message], run.thread)
    elif not run.is_active:
        context["place"] = beside_failure(run)
    return {**context, "moved": run.thread.head_id not in (run.question_id, message and message.pk)}


def beside_failure(run: Run) -> Place | None:
    """The place of a run that has no answer, among the answers its question has had. One query."""
    ids = list(
        Message.objects.filter(parent=run.question_id, role="assistant").order_by("pk").values_list("pk", flat=True)
    )
    return Place((*ids, ""), len(ids), str(run.question_id)) if ids else None


def furnish(messages: Sequence[Message], thread: Thread) -> None:
    """What a page shows with messages of this thread: images, files, what its owner thinks of answers, the place
    of each. At most three queries, four when the messages were not read as a path."""
    by_id = {message.pk: message for message in messages}
    if any(message.is_mine for message in messages):
        for image in IMAGES.rows(thread.pk) if thread.has_images else []:
            if message := by_id.get(str(image.message_id)):
                message.images = [*message.images, image]
        for file in FILES.rows(thread.pk) if thread.has_files else []:
            if message := by_id.get(str(file.message_id)):
                message.given = [*message.given, file]
    if answers := [message.pk for message in messages if not message.is_mine]:
        for opinion in _opinions(answers, thread):
            if answer := by_id.get(opinion.message_id):
                answer.opinion = opinion
    for message in messages:
        if message.place is None:
            message.stand_among([beside.pk for beside in _beside(message)])


def _opinions(answers: Sequence[str], thread: Thread) -> Iterable[Feedback]:
    if not thread.has_opinions:
        return []
    if len(answers) == 1:
        return OPINION.rows(answers[0], thread.owner_id)
    return OPINIONS.rows(thread.pk, thread.owner_id)


def _beside(message: Message) -> Iterable[Message]:
    """What stands in the same place, oldest first."""
    if message.parent_id:
        return BESIDE.rows(message.thread_id, message.parent_id)
    return Message.objects.filter(thread=message.thread_id, parent=None).order_by("pk").only("pk")
