"""Testing a connection for real: which models there are, how soon one answers, and what it can do.

A worker does it step by step and writes each outcome at once, so that the page can follow. What was learned of a
model is kept with it; a step that failed for another reason (a limit, a lost connection) changes nothing there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from celery import current_app
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAway

from gptbuilder.gateway import chat
from gptbuilder.gateway.errors import GatewayError, Refused
from gptbuilder.gateway.types import ModelEntry
from gptbuilder.providers import entries, trials
from gptbuilder.providers.models import ConnectionCheck, Provider, ProviderModel

log = logging.getLogger(__name__)

TASK = "gptbuilder.providers.tasks.check_connection"
ABILITIES: dict[str, Callable[[ModelEntry], bool]] = {
    "tools": trials.calls_tools,
    "json_schema": trials.keeps_schema,
    "vision": trials.sees,
}
STEPS = ("models", "answer", *ABILITIES)
NAMES_MOST = 500
DETAIL_CHARACTERS = 300
SLACK = timedelta(seconds=60)


@dataclass(frozen=True)
class Outcome:
    """What came of a step: `works`, `fails` (it certainly cannot), or `error` (`code` says why it is not known).

    `detail` is what the endpoint said, without the key.
    """

    state: Literal["works", "fails", "error"]
    code: str = ""
    detail: str = ""
    milliseconds: int = 0
    names: tuple[str, ...] = ()


class Superseded(Exception):
    """A newer check of the same endpoint has begun, or the provider is gone."""


def start(provider: Provider | None, model_name: str, now: datetime) -> ConnectionCheck:
    """Begin a check of this model; an empty name only lists the models. Earlier checks of the endpoint go."""
    ConnectionCheck.objects.filter(provider=provider).delete()
    check = ConnectionCheck.objects.create(provider=provider, model_name=model_name, started_at=now, updated_at=now)
    try:
        current_app.send_task(TASK, [check.pk], queue="runs")
    except (BrokerAway, OSError):
        _end(check, {"models": Outcome("error", "no_worker")})
    return check


def latest(provider: Provider | None) -> ConnectionCheck | None:
    return ConnectionCheck.objects.filter(provider=provider).order_by("-pk").first()


def is_silent(check: ConnectionCheck, now: datetime) -> bool:
    """Whether a check that has not ended will not either: no step may take this long."""
    entry = entries.environment().entry if check.provider is None else None
    waits = entry.provider if entry else check.provider
    longest = timedelta(seconds=waits.first_token_timeout_seconds + waits.idle_timeout_seconds) if waits else SLACK
    return check.finished_at is None and now - check.updated_at > 2 * longest + SLACK


def run(check_id: int) -> None:
    """Do a check that was begun. Ends early when a newer one has begun; safe to call twice."""
    check = ConnectionCheck.objects.select_related("provider").filter(pk=check_id, finished_at=None).first()
    if check is None:
        return
    try:
        _run(check, _entry(check))
    except Superseded:
        log.info("a newer check has begun")


def outcomes(check: ConnectionCheck) -> dict[str, Outcome]:
    """The steps done so far, in their order."""
    return {
        name: Outcome(**{**check.steps[name], "names": tuple(check.steps[name].get("names", ()))})
        for name in STEPS
        if name in check.steps
    }


def _run(check: ConnectionCheck, entry: ModelEntry) -> None:
    done: dict[str, Outcome] = {}

    def note(step: str, outcome: Outcome) -> Outcome:
        done[step] = outcome
        _write(check, done)
        return outcome

    listed = note("models", _attempt(entry, _listed))
    if listed.names and check.provider is not None:
        Provider.objects.filter(pk=check.provider.pk).update(listed_models=list(listed.names))
    if check.model_name and listed.code not in ("unreachable", "unauthorized", "timed_out"):
        answered = note(
            "answer", _attempt(entry, lambda model: Outcome("works", milliseconds=trials.first_word(model)))
        )
        if answered.state == "works":
            for step, trial in ABILITIES.items():
                note(step, _tried(entry, trial))
            _learn(check, done)
    _end(check, done)


def _tried(entry: ModelEntry, trial: Callable[[ModelEntry], bool]) -> Outcome:
    outcome = _attempt(entry, lambda model: Outcome("works" if trial(model) else "fails"))
    # An endpoint that refuses such a request says that it does not know it.
    return replace(outcome, state="fails") if outcome.code == "refused" else outcome


def _attempt(entry: ModelEntry, ask: Callable[[ModelEntry], Outcome]) -> Outcome:
    try:
        return ask(entry)
    except Refused as refusal:
        return Outcome("error", refusal.code, _without(entry.provider.api_key, refusal.message))
    except GatewayError as error:
        return Outcome("error", error.code, _without(entry.provider.api_key, str(error)))


def _listed(entry: ModelEntry) -> Outcome:
    names = chat.models(entry.provider)
    return Outcome("works", names=tuple(sorted(dict.fromkeys(name[:200] for name in names))[:NAMES_MOST]))


def _entry(check: ConnectionCheck) -> ModelEntry:
    """The endpoint as runs use it, but without second attempts: a test tells what happens at the first."""
    if check.provider is None:
        environment = entries.environment().entry
        return replace(environment, provider=replace(environment.provider, max_retries=0))
    model = ProviderModel.objects.filter(provider=check.provider, name=check.model_name).first()
    model = model or ProviderModel(provider=check.provider, name=check.model_name)
    model.provider = check.provider
    return model.entry(entries.key_of(check.provider), max_retries=0)


def _learn(check: ConnectionCheck, done: dict[str, Outcome]) -> None:
    known = {step: done[step].state == "works" for step in ABILITIES if done[step].state != "error"}
    if check.provider is not None:
        models = ProviderModel.objects.filter(provider=check.provider, name=check.model_name)
        models.update(checked_at=timezone.now(), **known)
        entries.forget()


def _end(check: ConnectionCheck, done: dict[str, Outcome]) -> None:
    _write(check, done, finished_at=timezone.now())


def _write(check: ConnectionCheck, done: dict[str, Outcome], **more: Any) -> None:
    steps = {step: asdict(outcome) for step, outcome in done.items()}
    now = timezone.now()
    if not ConnectionCheck.objects.filter(pk=check.pk).update(steps=steps, updated_at=now, **more):
        raise Superseded


def _without(key: str, words: str) -> str:
    return (words.replace(key, "…") if key else words).replace("\x00", "")[:DETAIL_CHARACTERS]
