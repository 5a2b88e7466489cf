"""What came of a check, in sentences that say what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gptbuilder.providers import checking
from gptbuilder.providers.checking import Outcome
from gptbuilder.providers.models import ConnectionCheck

LABELS = {
    "models": gettext_lazy("Models"),
    "answer": gettext_lazy("First word"),
    "tools": gettext_lazy("Tool calls"),
    "json_schema": gettext_lazy("JSON schema"),
    "vision": gettext_lazy("Pictures"),
}
PROBLEMS = {
    "unreachable": gettext_lazy("No answer. Check the address, and whether this server may reach it."),
    "unauthorized": gettext_lazy("The endpoint refuses the key. Enter it again, or make a new one there."),
    "model_missing": gettext_lazy(
        "Not found there. Check the name of the model, and that the address ends where /chat/completions begins, "
        "often with /v1."
    ),
    "refused": gettext_lazy("The endpoint refused the request."),
    "too_long": gettext_lazy("The endpoint finds this short request too long for the model."),
    "rate_limited": gettext_lazy("The endpoint says it is asked too much, or that the account has no credit left."),
    "timed_out": gettext_lazy("No answer in time. Allow a longer wait if the model is slow."),
    "garbage": gettext_lazy(
        "Something answers, but not by the OpenAI protocol. Check that the address ends where /chat/completions "
        "begins, often with /v1."
    ),
    "broken": gettext_lazy("The connection broke in the middle of the answer."),
    "no_worker": gettext_lazy("The test could not be started: the queue does not answer. Is Redis running?"),
    "closed": gettext_lazy("The test was interrupted. Start it again."),
}
WORKS = {
    "tools": gettext_lazy("It calls tools and uses what they say."),
    "json_schema": gettext_lazy("Its output keeps to a schema."),
    "vision": gettext_lazy("It sees pictures."),
}
FAILS = {
    "tools": gettext_lazy("It does not call tools by itself. Output bound to a schema takes their place."),
    "json_schema": gettext_lazy("Its output does not keep to a schema."),
    "vision": gettext_lazy("It does not see pictures."),
}


@dataclass(frozen=True)
class Line:
    """One step of a check as the page shows it; `kind` is the look of its state, `detail` what the endpoint said."""

    label: Any
    kind: str
    sentence: str = ""
    detail: str = ""


def lines(check: ConnectionCheck, now: datetime) -> list[Line]:
    """The steps that were done, the one under way, and those to come."""
    done = checking.outcomes(check)
    found = [
        Line(LABELS[step], _kind(outcome), _sentence(step, outcome), outcome.detail) for step, outcome in done.items()
    ]
    if check.finished_at is None and not checking.is_silent(check, now):
        wanted = checking.STEPS if check.model_name else checking.STEPS[:1]
        to_come = [step for step in wanted if step not in done]
        found += [Line(LABELS[step], "busy" if number == 0 else "") for number, step in enumerate(to_come)]
    return found


def _kind(outcome: Outcome) -> str:
    return {"works": "positive", "fails": "caution", "error": "negative"}[outcome.state]


def _sentence(step: str, outcome: Outcome) -> str:
    if outcome.state == "error":
        return str(PROBLEMS.get(outcome.code, PROBLEMS["refused"]))
    if step == "models":
        count = len(outcome.names)
        return ngettext("%(count)d model found", "%(count)d models found", count) % {"count": count}
    if step == "answer":
        return _("after %(seconds)s s") % {"seconds": f"{outcome.milliseconds / 1000:.2f}"}
    return str((WORKS if outcome.state == "works" else FAILS)[step])
