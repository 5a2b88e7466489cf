"""How long `make up` takes until the first page, how long Ctrl-C takes, and what an idle installation costs.

Everything is installed already and the local model is left out. A start ends with the first ready answer of the pages.
"""

import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import psutil
from _figures import arguments, show

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from gptbuilder.embedded import places  # noqa: E402

REPETITIONS = 3
START_SECONDS = 120
SETTLE_SECONDS = 5
GIVEN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_KEYS", "BASE_URL", "MEDIA_ROOT", "STATIC_ROOT", "PRODUCTION")


def main() -> None:
    asked = arguments(__doc__)
    rounds = [measure() for _ in range(1 if asked.quick else REPETITIONS)]
    figures = {name: round(statistics.median(each[name] for each in rounds), 2) for name in rounds[0]}
    show("coldstart", {**figures, "installed_mb": round(installed_bytes() / 1e6)}, as_json=asked.json)


def measure() -> dict[str, float]:
    with data_folder() as home:
        first, first_start_s = start(home)
        stop(first)
        second, next_start_s = start(home)
        time.sleep(SETTLE_SECONDS)
        everything = [psutil.Process(second.pid), *psutil.Process(second.pid).children(recursive=True)]
        idle_bytes = sum(process.memory_full_info().pss for process in everything)
        stop_s = stop(second)
    return {
        "first_start_s": first_start_s,
        "next_start_s": next_start_s,
        "stop_s": stop_s,
        "processes": float(len(everything)),
        "idle_mb": idle_bytes / 1e6,
    }


def start(home: Path) -> tuple[subprocess.Popen[bytes], float]:
    port = places.free_port()
    environment = {name: value for name, value in os.environ.items() if name not in GIVEN}
    environment |= {"GPTBUILDER_HOME": str(home), "PORT": str(port), "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "gptbuilder"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    while not answers(port):
        if process.poll() is not None or time.monotonic() - began > START_SECONDS:
            process.kill()
            sys.exit("It did not start: nothing was measured.")
        time.sleep(0.02)
    return process, time.monotonic() - began


def stop(process: subprocess.Popen[bytes]) -> float:
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait()
    return time.monotonic() - began


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def installed_bytes() -> int:
    """The files of the packages that requirements.lock names: development packages are not counted."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    names = {line.partition("==")[0].partition("[")[0] for line in lines if "==" in line}
    total = 0
    for name in names:
        # A pin for another platform is in the lock and not installed.
        with contextlib.suppress(metadata.PackageNotFoundError):
            files = [Path(str(file.locate())) for file in metadata.files(name) or []]
            total += sum(file.stat().st_size for file in files if file.exists())
    return total


@contextlib.contextmanager
def data_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gptbuilder-coldstart-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
