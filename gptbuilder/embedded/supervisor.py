"""Keeps child processes running: starts them in order, restarts what dies, stops in reverse, leaves nothing behind."""

import json
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType, TracebackType

from gptbuilder.embedded.child_logs import ChildLog
from gptbuilder.embedded.children import Child, kill_group, spawn
from gptbuilder.embedded.guardian import Guardian
from gptbuilder.embedded.places import CannotStart, Places, write_atomically

FAILURES_ALLOWED = 5
FAILURE_WINDOW_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.2
PROBE_SECONDS = 0.05
KILL_SECONDS = 2.0


class StopRequested(Exception):
    """Ctrl-C, or a SIGTERM, or the terminal closed."""


@dataclass
class _Running:
    child: Child
    log: ChildLog
    is_step: bool
    process: subprocess.Popen[bytes] | None = None
    is_ready: bool = False
    ready_by: float = 0.0
    restart_at: float = 0.0
    failures: deque[float] = field(default_factory=lambda: deque(maxlen=FAILURES_ALLOWED))


class Supervisor:
    """One thread, one loop; use it as a context manager from the main thread. Leaving it stops every child.

    A child that fails is started again after a growing pause; the fifth failure within a minute raises `CannotStart`,
    and so does a step that fails. A signal raises `StopRequested` in whatever method waits; a second one kills.
    """

    def __init__(self, places: Places, say: Callable[[str], None]) -> None:
        self._places = places
        self._say = say
        self._running: list[_Running] = []
        self._selector = selectors.DefaultSelector()
        self._signals = 0
        self._is_stopping = False

    def __enter__(self) -> "Supervisor":
        self._guardian = Guardian(self._places.children_file)
        self._waker, wake = os.pipe()
        for descriptor in (self._waker, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._selector.register(self._waker, selectors.EVENT_READ, None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note_signal)
        # A handler, if an idle one: without it the end of a child would not wake the loop.
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def stop_requested(self) -> bool:
        return self._signals > 0

    def start(self, *children: Child) -> None:
        """Start children together; return when all of them serve."""
        started = [self._launch(child, is_step=False) for child in children]
        while not all(running.is_ready for running in started):
            self._turn(PROBE_SECONDS)

    def begin(self, step: Child) -> None:
        """Start a command that is to end by itself; `finish` waits for it."""
        self._launch(step, is_step=True)

    def finish(self) -> None:
        """Wait for all steps; raises `CannotStart` if one fails."""
        while any(running.is_step for running in self._running):
            self._turn(1.0)

    def watch(self, every_second: Callable[[], None]) -> None:
        """Keep everything running until a signal comes."""
        while True:
            self._turn(1.0)
            every_second()

    def stop(self) -> None:
        """Stop in reverse order: first all that need the services, then the services."""
        if self._is_stopping:
            return
        self._is_stopping = True
        patience = self._signals
        for is_service in (False, True):
            group = [
                running
                for running in reversed(self._running)
                if running.child.is_service == is_service and running.process
            ]
            for running in group:
                if running.process and running.process.poll() is None:
                    running.process.send_signal(running.child.stop_signal)
            self._wait_for(group, patience)
        self._places.children_file.unlink(missing_ok=True)
        self._guardian.dismiss()
        for running in self._running:
            running.log.close()

    def _wait_for(self, group: list[_Running], patience: int) -> None:
        began = time.monotonic()
        while alive := [running for running in group if running.process and running.process.poll() is None]:
            waited = time.monotonic() - began
            for running in alive:
                if waited > running.child.stop_seconds or self._signals > max(patience, 1):
                    running.log.note("did not stop in time and is killed")
                    self._kill(running)
            if waited > max(running.child.stop_seconds for running in group) + KILL_SECONDS:
                break
            self._read_pipes(PROBE_SECONDS)
        for running in group:
            self._kill(running)
        self._read_pipes(0)

    def _launch(self, child: Child, *, is_step: bool) -> _Running:
        running = _Running(child, ChildLog(child.name, self._places.logs / f"{child.name}.log"), is_step)
        self._running.append(running)
        self._spawn(running)
        return running

    def _spawn(self, running: _Running) -> None:
        reader, writer = os.pipe()
        try:
            running.process = spawn(running.child, writer)
        finally:
            os.close(writer)
        os.set_blocking(reader, False)
        self._selector.register(reader, selectors.EVENT_READ, running.log)
        running.is_ready = running.child.is_ready is None
        running.ready_by = time.monotonic() + running.child.ready_seconds
        self._write_children()

    def _turn(self, seconds: float) -> None:
        if self._signals:
            raise StopRequested
        now = time.monotonic()
        waits = [PROBE_SECONDS for running in self._running if running.process and not running.is_ready]
        waits += [max(0.0, running.restart_at - now) for running in self._running if not running.process]
        self._read_pipes(min([seconds, *waits]))
        if self._signals:
            raise StopRequested
        for running in list(self._running):
            self._look_after(running)

    def _look_after(self, running: _Running) -> None:
        now = time.monotonic()
        if running.process is None:
            if now >= running.restart_at:
                self._spawn(running)
        elif (status := running.process.poll()) is not None:
            self._read_pipes(0)
            self._ended(running, status)
        elif not running.is_ready and running.child.is_ready:
            running.is_ready = running.child.is_ready()
            if not running.is_ready and now > running.ready_by:
                running.log.note(f"was not ready after {running.child.ready_seconds:.0f} seconds and is killed")
                self._kill(running)

    def _ended(self, running: _Running, status: int) -> None:
        self._kill(running)
        running.process = None
        self._write_children()
        if running.is_step:
            self._running.remove(running)
            running.log.close()
            if status:
                self._show_last_lines(running)
                raise CannotStart(
                    f"The step {running.child.name} failed: its last words are above, all are in {running.log.path}."
                )
            return
        now = time.monotonic()
        running.log.note(f"ended ({_describe(status)})")
        running.failures.append(now)
        recent = [failure for failure in running.failures if now - failure < FAILURE_WINDOW_SECONDS]
        if len(recent) == FAILURES_ALLOWED:
            self._show_last_lines(running)
            raise CannotStart(
                f"{running.child.name} ended five times within a minute, so all is stopped: see {running.log.path}."
            )
        pause = FIRST_PAUSE_SECONDS * 2 ** (len(recent) - 1)
        running.restart_at = now + pause
        self._say(f"{running.child.name} ended ({_describe(status)}); starting it again.")

    def _kill(self, running: _Running) -> None:
        if running.process:
            kill_group(running.process)

    def _read_pipes(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.fd == self._waker:
                _drain(self._waker)
            elif not key.data.read(key.fd):
                self._selector.unregister(key.fd)
                os.close(key.fd)

    def _write_children(self) -> None:
        ids = {
            running.child.name: running.process.pid
            for running in self._running
            if running.process and not running.is_step
        }
        write_atomically(self._places.children_file, json.dumps({"supervisor": os.getpid(), **ids}))

    def _show_last_lines(self, running: _Running) -> None:
        for line in running.log.last_lines:
            self._say(f"  {running.child.name} | {line}")

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1


def _describe(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 4096):
            pass
    except BlockingIOError:
        pass
