"""The host's side of the fork server: starts it when it is needed, again when it has died, and hands it jobs."""

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gptbuilder.sandbox import _server

log = logging.getLogger(__name__)
START_SECONDS = 60.0
STOP_SECONDS = 5.0
# `-I`: neither the environment nor the working folder decides what is imported. Our package need not be installed.
_BOOT = "import sys; sys.path.append(sys.argv[1]); from gptbuilder.sandbox import _server; _server.main(sys.argv[2])"
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
}


class ServerGone(Exception):
    """The fork server does not take jobs: it could not start, or it has ended. The text says why."""


@dataclass(frozen=True)
class Setup:
    backend: str
    preload: tuple[str, ...] = ()
    programs: Mapping[str, Sequence[str]] | None = None


class ForkServer:
    """One running fork server. Raises ServerGone when it does not get ready."""

    def __init__(self, setup: Setup) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        root = Path(__file__).parents[2]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-X", "utf8", "-c", _BOOT, str(root), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                env=_ENVIRONMENT,
                pass_fds=[theirs.fileno()],
                # Ctrl-C is the host's affair: it may want to finish its jobs.
                start_new_session=True,
            )
        try:
            self._control.settimeout(START_SECONDS)
            asked = {"backend": setup.backend, "preload": setup.preload, "programs": dict(setup.programs or {})}
            self._control.send(json.dumps(asked).encode())
            answer = json.loads(self._control.recv(_server.LONGEST_MESSAGE) or b"{}")
        except (OSError, ValueError) as error:
            self.close()
            raise ServerGone(f"it did not start: {error}") from error
        if "ready" not in answer:
            self.close()
            raise ServerGone(answer.get("trouble", "it ended while it started"))
        for trouble in answer["missing"]:
            log.warning("A module is not preloaded in the sandbox: %s", trouble)

    @property
    def process_id(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, order: Mapping[str, Any], descriptors: Sequence[int]) -> None:
        """Have a job forked; from any thread. Raises ServerGone, and ValueError for too long an order."""
        message = json.dumps(order).encode()
        if len(message) > _server.LONGEST_MESSAGE or len(descriptors) > _server.MOST_DESCRIPTORS:
            raise ValueError("a program with so many arguments, or a job with so many inputs, cannot be started")
        try:
            socket.send_fds(self._control, [message], descriptors)
        except OSError as error:
            raise ServerGone(f"it takes no job: {error}") from error

    def close(self) -> None:
        """End it, with the jobs it has."""
        self._control.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """The same for one that does not react, or is dead already."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """In a child of the host: it is the parent's. Only our copy of the socket must go."""
        self._process.returncode = 0
        with contextlib.suppress(OSError):
            os.close(self._control.detach())
