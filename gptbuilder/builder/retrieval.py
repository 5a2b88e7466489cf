"""The page on which a maker tries what is found in the files of a GPT: one question, all cases, what others asked.

Everything posts and redirects to the page itself; htmx takes the parts it needs out of it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gptbuilder.accounts.requests import MemberRequest
from gptbuilder.builder import finding, pages
from gptbuilder.gpts import files
from gptbuilder.gpts.files import Held
from gptbuilder.gpts.models import GPT
from gptbuilder.knowledge import cases, records, trials
from gptbuilder.knowledge.cases import CaseRefused
from gptbuilder.knowledge.models import Passage, RetrievalCase


@never_cache
@require_safe
@login_required
def retrieval(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """Type a question, see what is found and why; the cases; what was searched."""
    gpt = pages.editable(request, gpt_id)
    held, question = files.held(gpt.draft), _question(request.GET.get("question", ""))
    today = timezone.now().date()
    context = {
        **_surroundings(gpt, held, question),
        **_cases_context(request, gpt, held),
        "found": finding.search_files(held, question, wanted=_wanted(gpt, question)) if question else None,
        "log": records.questions(gpt.pk, today),
        "totals": records.totals(gpt.pk, today),
        "people_least": records.PEOPLE_LEAST,
        "kept_days": records.KEPT_DAYS,
    }
    return render(request, "builder/retrieval.html", context)


@never_cache
@require_safe
@login_required
def passages(request: MemberRequest, gpt_id: str, file_id: str) -> HttpResponse:
    """The passages of one file, all or those with some words, to say which a question should find."""
    gpt = pages.editable(request, gpt_id)
    held = files.held(gpt.draft)
    file = _held(held, file_id)
    question, looked_for = _question(request.GET.get("question", "")), _question(request.GET.get("words", ""))
    shown, rows = finding.browse(file, looked_for, request.GET.get("page", "1"), wanted=_wanted(gpt, question))
    context = {**_surroundings(gpt, held, question), "file": file, "words": looked_for}
    context |= {"shown": shown, "rows": rows, "passage_count": rows.paginator.count}
    return render(request, "builder/passages.html", context)


@never_cache
@login_required
def case_list(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """The cases with how they went; POST keeps another one."""
    gpt = pages.editable(request, gpt_id)
    held = files.held(gpt.draft)
    if request.method != "POST":
        context = {**_surroundings(gpt, held, ""), **_cases_context(request, gpt, held)}
        return render(request, "builder/_cases.html", context)
    file = _held(held, request.POST.get("file", "")).file
    if file is None or not request.POST.get("passage", "").isdecimal():
        raise Http404
    passage = get_object_or_404(Passage, pk=request.POST["passage"], content=file.content_id)
    try:
        cases.add(gpt.pk, request.POST.get("question", ""), file, passage)
    except CaseRefused:
        return _back(request, gpt, refused="1")
    return _back(request, gpt)


@require_POST
@login_required
def case_deletion(request: MemberRequest, gpt_id: str, case_id: str) -> HttpResponse:
    gpt = pages.editable(request, gpt_id)
    case = _case(gpt, case_id)
    cases.remove(case, timezone.now())
    return _back(request, gpt, removed=case.pk)


@require_POST
@login_required
def case_recovery(request: MemberRequest, gpt_id: str, case_id: str) -> HttpResponse:
    gpt = pages.editable(request, gpt_id)
    cases.bring_back(_case(gpt, case_id))
    return _back(request, gpt)


@require_POST
@login_required
def trial(request: MemberRequest, gpt_id: str) -> HttpResponse:
    """Try all cases over the draft's files; a worker does it."""
    gpt = pages.editable(request, gpt_id)
    searched = [one.id for one in files.held(gpt.draft) if not one.is_missing]
    try:
        trials.begin(gpt.pk, searched, timezone.now())
    except trials.NothingToTry:
        return _back(request, gpt, nothing="1")
    return _back(request, gpt)


# --- What the pages are given --------------------------------------------------------------------


def _surroundings(gpt: GPT, held: list[Held], question: str) -> dict[str, Any]:
    there = [one for one in held if not one.is_missing]
    return {"gpt": gpt, "bar": pages.bar(gpt), "files": there, "state": finding.state(there), "question": question}


def _cases_context(request: MemberRequest, gpt: GPT, held: list[Held]) -> dict[str, Any]:
    """The context of `builder/_cases.html`."""
    history = trials.history(gpt.pk)
    removed = request.GET.get("removed", "")
    return {
        "cases": finding.lines(list(cases.of(gpt.pk)), history, {one.id: one.name for one in held}),
        "chart": finding.chart(history),
        "last": history[-1] if history else None,
        "going": trials.unfinished(gpt.pk, timezone.now()),
        "removed": RetrievalCase.objects.filter(holder_id=gpt.pk, pk=removed, removed_at__isnull=False).first(),
        "refused": "refused" in request.GET,
        "most": cases.CASES_MOST,
        "nothing": "nothing" in request.GET,
    }


def _wanted(gpt: GPT, question: str) -> dict[tuple[str, str], str]:
    """The ids of the cases of this question, by file and hash of the passage."""
    if not question:
        return {}
    mine = cases.of(gpt.pk).filter(question=question)
    return {(file_id, sha256): pk for pk, file_id, sha256 in mine.values_list("pk", "file_id", "sha256")}


def _question(text: str) -> str:
    return text.replace("\x00", " ").strip()[: RetrievalCase.QUESTION_LETTERS]


def _held(held: list[Held], file_id: str) -> Held:
    """A file of the draft that was not erased, or 404."""
    for one in held:
        if one.id == file_id and not one.is_missing:
            return one
    raise Http404


def _case(gpt: GPT, case_id: str) -> RetrievalCase:
    return get_object_or_404(RetrievalCase, holder_id=gpt.pk, pk=case_id)


def _back(request: MemberRequest, gpt: GPT, **more: str) -> HttpResponse:
    """To where the form stood: the page of a file, or the test page with its question."""
    values = {name: value for name in ("question", "words", "page") if (value := request.POST.get(name, ""))} | more
    if file_id := request.POST.get("looking_through"):
        address = reverse("builder:passages", args=[gpt.pk, file_id])
    else:
        address = reverse("builder:retrieval", args=[gpt.pk])
    return redirect(f"{address}?{urlencode(values)}" if values else address)
