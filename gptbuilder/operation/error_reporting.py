"""Reports of errors by the Sentry protocol, to where SENTRY_DSN says; nothing without it.

What is logged as an error is reported, from every process. A report says where in our code it happened and in which
request or run, and nothing that a person wrote: no request, no variables, no text of the exception, because the error
of a database or a model quotes what it was given. The log of the installation has it all, under the same ids.
"""

from __future__ import annotations

from typing import Any, cast

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.types import Event, Hint

import gptbuilder
from gptbuilder.web import logs

# What a report may hold; whatever a later version of the SDK adds is left out until somebody has looked at it.
KEPT = ("event_id", "timestamp", "level", "platform", "logger", "release", "environment", "server_name", "sdk")
KEPT_OF_FRAMES = ("filename", "module", "function", "lineno", "in_app", "context_line", "pre_context", "post_context")


def start(dsn: str, environment: str) -> None:
    """Report errors from now on. Called once by the settings, so that no process can be forgotten."""
    sentry_sdk.init(
        dsn=dsn,
        release=f"gptbuilder@{gptbuilder.__version__}",
        environment=environment,
        default_integrations=False,
        auto_enabling_integrations=False,
        # Django and Celery log what nobody caught: one way for all, and none that reads a request.
        integrations=[
            LoggingIntegration(level=None),
            ExcepthookIntegration(),
            DedupeIntegration(),
            AtexitIntegration(callback=lambda pending, timeout: None),
        ],
        before_send=scrubbed,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        shutdown_timeout=2,
    )


def scrubbed(event: Event, hint: Hint) -> Event:
    """The report with what is known to be harmless, and nothing else."""
    told: dict[str, Any] = dict(event)
    kept = {name: told[name] for name in KEPT if name in told}
    record = hint.get("log_record")
    if record is not None and isinstance(record.msg, str) and record.args:
        # The sentence as it stands in the code; its values stay here.
        kept["logentry"] = {"message": record.msg}
    elif record is not None and record.name.startswith("gptbuilder."):
        kept["logentry"] = {"message": record.getMessage()}
    exceptions = (told.get("exception") or {}).get("values") or []
    if exceptions:
        kept["exception"] = {"values": [_exception(found) for found in exceptions]}
    ids = {"request_id": logs.request_id.get(), "run_id": logs.run_id.get()}
    kept["tags"] = {name: value for name, value in ids.items() if value}
    return cast("Event", kept)


def _exception(found: dict[str, Any]) -> dict[str, Any]:
    frames = (found.get("stacktrace") or {}).get("frames") or []
    kept = {name: found[name] for name in ("type", "module", "mechanism") if name in found}
    kept["mechanism"] = {name: found.get("mechanism", {}).get(name) for name in ("type", "handled")}
    kept["stacktrace"] = {
        "frames": [{name: frame[name] for name in KEPT_OF_FRAMES if name in frame} for frame in frames]
    }
    return kept
