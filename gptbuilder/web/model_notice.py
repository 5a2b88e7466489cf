"""What there is to say about the local model: it is on its way, it failed, it is only a demonstration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from gptbuilder.embedded import model_status


@dataclass(frozen=True)
class ModelNotice:
    """`state` is empty without a local model; `percent` is known only while something is fetched."""

    state: str = ""
    percent: int | None = None
    code: str = ""

    @property
    def is_demonstration(self) -> bool:
        return self.state != ""

    @property
    def is_loading(self) -> bool:
        return self.state not in ("", "ready", "failed")

    @property
    def failed(self) -> bool:
        return self.state == "failed"

    @property
    def sentence(self) -> str:
        if self.code == "not_found":
            return _("The demonstration model is no longer offered. Nobody can answer until a model is connected.")
        if self.code == "fetch":
            return _("The demonstration model could not be fetched: the server has no way to the package index.")
        if self.failed:
            return _("The demonstration model could not be loaded. Nobody can answer; the server’s log says why.")
        if self.percent is None:
            return _("The model is still loading. The first answer may take a minute.")
        return _("The model is still loading: fetching %(percent)d %%.") % {"percent": self.percent}


def read() -> ModelNotice:
    """The state the model's process wrote last. Without a local model there is nothing to say."""
    if not settings.LOCAL_MODEL:
        return ModelNotice()
    if not settings.MODEL_STATUS_FILE:
        return ModelNotice(state="ready")
    status = model_status.read_status(Path(settings.MODEL_STATUS_FILE))
    fetching = status["state"] == "fetching" and status["total_bytes"] > 0
    percent = min(100, 100 * status["done_bytes"] // status["total_bytes"]) if fetching else None
    return ModelNotice(status["state"], percent, status["code"] if status["state"] == "failed" else "")
