"""One child process: what to start, how to tell that it serves, and how to end it with everything it started."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


@dataclass(frozen=True)
class Child:
    """`before_start` runs before each start and must be quick; `is_ready` is asked until it says yes.

    The others need a service: it is stopped after them. `death_signal` is what the kernel sends when the
    supervisor is killed (Linux only).
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    user_id: int | None = None
    before_start: Callable[[], None] | None = None
    is_ready: Callable[[], bool] | None = None
    ready_seconds: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    stop_seconds: float = 5.0
    is_service: bool = False


def spawn(child: Child, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
    """Start the child in a session of its own.

    Call it from the main thread: the kernel ties the child's life to the thread.
    """
    if child.before_start:
        child.before_start()
    return subprocess.Popen(
        list(child.command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=child.folder,
        env={**os.environ, **child.environment},
        start_new_session=True,
        user=child.user_id,
        group=child.user_id,
        extra_groups=None if child.user_id is None else [],
        # After the change of user, which would clear the death signal.
        preexec_fn=_die_with(os.getpid(), child.death_signal),
    )


def kill_group(process: subprocess.Popen[bytes], signal_number: signal.Signals = signal.SIGKILL) -> None:
    """Signal the child and what it started; that both are gone already is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal_number)


def stop(process: subprocess.Popen[bytes], child: Child) -> None:
    """Ask, wait, then kill; returns when the child is gone."""
    if process.poll() is None:
        process.send_signal(child.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(child.stop_seconds)
    kill_group(process)
    process.wait()


def _die_with(parent_id: int, death_signal: signal.Signals) -> Callable[[], None]:
    def in_child() -> None:
        if _prctl:
            _prctl(PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != parent_id:
                os._exit(1)

    return in_child
