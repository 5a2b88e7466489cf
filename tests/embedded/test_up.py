"""`python -m gptbuilder` refuses with one sentence and an exit status, never with a traceback."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gptbuilder.embedded import places

ROOT = Path(__file__).parents[2]
GIVEN = ("DATABASE_URL", "REDIS_URL", "OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL", "MODEL_FILE", "HOST", "PORT")


def up(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in GIVEN}
    return subprocess.run(
        [sys.executable, "-m", "gptbuilder"],
        cwd=ROOT,
        env={**inherited, "GPTBUILDER_HOME": str(home), "PORT": str(places.free_port()), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    (only,) = done.stderr.splitlines()
    assert done.returncode == 1
    return only


def test_a_port_in_use(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert f"Port {port} on 127.0.0.1 is in use" in sentence(up(home, PORT=str(port)))


@pytest.mark.parametrize("port", ["http", "0", "70000"])
def test_a_port_that_is_none(home, port):
    assert f"PORT must be a number from 1 to 65535, not '{port}'." == sentence(up(home, PORT=port))


def test_a_second_start(home):
    with places.lock(places.settle(home), "http://127.0.0.1:8000"):
        said = sentence(up(home))

    assert said.startswith("GPT Builder is already running")
    assert "http://127.0.0.1:8000" in said


def test_a_model_file_that_is_none(home):
    (home / "note.gguf").write_text("not a model")
    (home / places.LOCK_NAME).touch()

    said = sentence(up(home, MODEL_FILE=str(home / "note.gguf")))

    assert said == f"The model file {home}/note.gguf (MODEL_FILE) cannot be read as a GGUF model."


def test_a_data_folder_that_cannot_be_made(home):
    (home / "file").write_text("")

    assert "set GPTBUILDER_HOME to another one" in sentence(up(home / "file" / "home"))


def test_what_runs_is_listed_as_nothing_when_nothing_runs(home):
    done = subprocess.run(
        [sys.executable, "-m", "gptbuilder", "children", "--json"],
        cwd=ROOT,
        env={**os.environ, "GPTBUILDER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "{}\n")
