"""The strongest cage this machine has, with a fork server that is there when it is needed."""

import atexit
import os
import threading
import time
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from gptbuilder.sandbox._keeper import ForkServer, ServerGone, Setup
from gptbuilder.sandbox._running import run_on
from gptbuilder.sandbox.jobs import Failed, Finished, Job, Limits, Program

BackendName = Literal["namespaces", "landlock", "none"]
# The strongest first; docs/decisions/0040-the-cage.md says what each holds.
BACKENDS: tuple[BackendName, ...] = ("namespaces", "landlock")
LOOK_AGAIN_SECONDS = 60.0
_TRIAL = Job("gptbuilder.sandbox.trial:echo", {"word": "caged"})
_TRIES = 2
_cages: "weakref.WeakSet[Cage]" = weakref.WeakSet()


@dataclass(frozen=True)
class Backend:
    """Which cage holds here. `reason` says why it is not a stronger one; with `none`, why nothing runs at all."""

    name: BackendName
    reason: str = ""


class Cage:
    """A fork server and its jobs; any thread may run some. It starts with the first job and ends with this process."""

    def __init__(self, backends: Sequence[BackendName] = BACKENDS) -> None:
        self._backends = tuple(backends)
        self._modules: tuple[str, ...] = ()
        self._programs: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()
        self._server: ForkServer | None = None
        self._backend: Backend | None = None
        self._look_again_at = 0.0
        _cages.add(self)

    def preload(self, modules: Iterable[str]) -> None:
        """Import these where jobs are forked from, so that no job has to. Takes effect when the fork server starts."""
        self._modules = tuple(dict.fromkeys([*self._modules, *modules]))

    def approve(self, program: str, reads: Iterable[str] = ()) -> None:
        """Let `Program(program)` run, and see these paths of the host; an absolute path, its real one.

        Functions see them, too. Takes effect when the fork server starts.
        """
        self._programs[program] = tuple(reads)

    def run(self, job: Job | Program, limits: Limits = Limits()) -> Finished | Failed:  # noqa: B008, it is frozen
        """Run one job to its end. Nothing of it is left when this returns, at most a little after its wall time.

        Raises OSError when an input cannot be opened, ValueError for a program that was not approved.
        """
        if isinstance(job, Program) and job.path not in self._programs:
            raise ValueError(f"{job.path} was not approved")
        for _ in range(_TRIES):
            server = self._running()
            if server is None:
                return Failed("refused", self.backend().reason)
            try:
                return run_on(server, job, limits)
            except ServerGone as gone:
                self._discard(server)
                trouble = str(gone)
        return Failed("refused", trouble)

    def backend(self) -> Backend:
        """What holds here; starts the fork server to find out."""
        self._running()
        return self._backend or Backend("none", "nothing was tried")

    def close(self) -> None:
        """End the fork server with its jobs; the next job starts another one."""
        with self._lock:
            server, self._server = self._server, None
        if server:
            server.close()

    def process_id(self) -> int | None:
        """Of the fork server, while there is one."""
        return self._server.process_id if self._server else None

    def _running(self) -> ForkServer | None:
        with self._lock:
            if self._server and self._server.alive():
                return self._server
            if self._server:
                self._server.kill()
            if self._backend and self._backend.name == "none" and time.monotonic() < self._look_again_at:
                return None
            self._server, self._backend = self._start()
            self._look_again_at = time.monotonic() + LOOK_AGAIN_SECONDS
            return self._server

    def _start(self) -> tuple[ForkServer | None, Backend]:
        troubles: list[str] = []
        for name in self._backends:
            try:
                return self._started(name), Backend(name, "; ".join(troubles))
            except (ServerGone, OSError) as error:
                troubles.append(f"{name}: {error}")
        return None, Backend("none", "; ".join(troubles))

    def _started(self, name: BackendName) -> ForkServer:
        server = ForkServer(Setup(name, self._modules, self._programs))
        tried = run_on(server, _TRIAL, Limits())
        if isinstance(tried, Finished) and tried.value == "caged":
            return server
        server.close()
        raise ServerGone(tried.detail if isinstance(tried, Failed) else "it answered something else")

    def _discard(self, server: ForkServer) -> None:
        with self._lock:
            if self._server is server:
                self._server = None
        server.kill()

    def _forget(self) -> None:
        """In a forked child: the fork server is the parent's, and another thread may have held the lock."""
        self._lock = threading.Lock()
        server, self._server = self._server, None
        if server:
            server.forget()


def _forget_all() -> None:
    for cage in _cages:
        cage._forget()


def _close_all() -> None:
    for cage in _cages:
        cage.close()


os.register_at_fork(after_in_child=_forget_all)
atexit.register(_close_all)
_default = Cage()
preload, approve, run, backend = _default.preload, _default.approve, _default.run, _default.backend
