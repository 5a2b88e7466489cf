"""A second, sleeping process that clears up when the supervisor is killed: nothing of ours stays behind then either.

On Linux the kernel already tells each child; the guardian ends what the children had started themselves.
"""

import contextlib
import json
import os
import signal
import time
from pathlib import Path

LEAVING_SECONDS = 3.0
LOOK_SECONDS = 0.05


class Guardian:
    """Forks at once, so make it before there are threads, signal handlers or pipes. `dismiss` after an orderly stop."""

    def __init__(self, children_file: Path) -> None:
        reader, self._lifeline = os.pipe()
        self._process_id = os.fork()
        if self._process_id == 0:
            os.close(self._lifeline)
            try:
                _wait_and_clear_up(reader, children_file)
            finally:
                os._exit(0)
        os.close(reader)

    def dismiss(self) -> None:
        os.close(self._lifeline)
        os.waitpid(self._process_id, 0)


def _wait_and_clear_up(reader: int, children_file: Path) -> None:
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.read(reader, 1)
    try:
        groups: dict[str, int] = json.loads(children_file.read_text())
    except (OSError, ValueError):
        return
    groups.pop("supervisor", None)
    left = _signal_all(list(groups.values()), signal.SIGTERM)
    deadline = time.monotonic() + LEAVING_SECONDS
    while left and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
        left = _signal_all(left, None)
    _signal_all(left, signal.SIGKILL)
    with contextlib.suppress(OSError):
        children_file.unlink()


def _signal_all(groups: list[int], number: signal.Signals | None) -> list[int]:
    """The groups that still had a process."""
    alive = []
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number or 0)
            alive.append(group)
    return alive
