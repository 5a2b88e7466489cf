"""The warden of one job: makes its namespaces, forks it, ends it when the host says so or the time is up, reports.

It runs no code of the job. In the better cage it lies outside the job's namespace of processes, so that the job cannot
name it; when it dies, the kernel kills the job.
"""

import os
import resource
import select
import signal
import socket
import traceback
from dataclasses import dataclass
from typing import Any, NoReturn

from gptbuilder.sandbox import _inmate, _kernel, _view, frames

# The host ends a job in time; this is for a host that is stopped.
PATIENCE_SECONDS = 2.0
LONGEST_TROUBLE = 2000
_EVERYTHING = (
    _kernel.CLONE_NEWNS
    | _kernel.CLONE_NEWPID
    | _kernel.CLONE_NEWNET
    | _kernel.CLONE_NEWIPC
    | _kernel.CLONE_NEWUTS
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """What every job of a fork server has in common. `processes` is an open /proc, which no job has."""

    backend: str
    processes: int
    paths: tuple[str, ...]
    server: int


def main(order: dict[str, Any], descriptors: list[int], place: Place) -> NoReturn:
    """Never returns; whatever goes wrong is told to the host, by a report or by none."""
    try:
        _watch(order, descriptors, place)
    except BaseException:  # noqa: BLE001, it must not return into the server it was forked from
        traceback.print_exc()
    os._exit(0)


def _watch(order: dict[str, Any], descriptors: list[int], place: Place) -> None:
    _keep_only({0, 1, 2, place.processes, *descriptors})
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    report = socket.socket(fileno=descriptors[0])
    try:
        if place.backend == "namespaces":
            enter_user_namespace(_EVERYTHING, place.processes)
            socket.sethostname("cage")
            _view.add_scratch(order["limits"]["disk_bytes"], order["limits"]["files"])
        _die_with(place.server)
        job, trouble = _fork(order, descriptors[1:], place)
    except OSError as error:
        report.sendall(frames.encode({"trouble": str(error)}))
        return
    for descriptor in descriptors[1:]:
        os.close(descriptor)
    _kernel.drop_capabilities()
    if said := _let_loose(trouble):
        report.sendall(frames.encode({"trouble": said}))
    else:
        report.sendall(frames.encode({"caged": True}))
    _wait(report, job, order["limits"]["wall_seconds"] + PATIENCE_SECONDS)


def enter_user_namespace(more: int, processes: int) -> None:
    """New namespaces for this process; its id stays its own inside, and no other id exists there."""
    user, group = os.geteuid(), os.getegid()
    inside = _inmate.INSIDE_ID
    _kernel.unshare(_kernel.CLONE_NEWUSER | more)
    _write("self/setgroups", "deny", processes)
    _write("self/gid_map", f"{inside} {group} 1", processes)
    _write("self/uid_map", f"{inside} {user} 1", processes)


def _write(path: str, text: str, processes: int) -> None:
    descriptor = os.open(path, os.O_WRONLY, dir_fd=processes)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _die_with(parent: int) -> None:
    _kernel.prctl(_kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _fork(order: dict[str, Any], descriptors: list[int], place: Place) -> tuple[int, socket.socket]:
    """The job's id, and the socket on which it says what keeps it from being caged."""
    # Whoever holds the other end lives: the job sees by it that its warden is gone.
    alive, lifeline = os.pipe()
    trouble, theirs = socket.socketpair()
    job = os.fork()
    if job == 0:
        os.close(lifeline)
        trouble.close()
        doors = _inmate.Doors(alive, theirs.detach(), place.processes)
        _inmate.main(order, descriptors, doors, place.backend, place.paths)
    os.close(alive)
    theirs.close()
    return job, trouble


def _let_loose(trouble: socket.socket) -> str:
    """Wait until the cage is complete, or a program has begun; returns what went wrong, empty when nothing did."""
    text = b""
    with trouble:
        while True:
            piece, descriptors, _, _ = socket.recv_fds(trouble, LONGEST_TROUBLE, 1)
            if not piece:
                return text[:LONGEST_TROUBLE].decode(errors="replace")
            if not descriptors:
                text += piece
            for listener in descriptors:
                _allow_one_execution(listener)


def _allow_one_execution(listener: int) -> None:
    try:
        # It arrives, or the job ends first and nobody is left who could ask.
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        if poll.poll(PATIENCE_SECONDS * 1000)[0][1] & select.POLLIN:
            _kernel.allow_one(listener)
    finally:
        os.close(listener)


def _wait(report: socket.socket, job: int, seconds: float) -> None:
    """Until the job ends, the host hangs up, or nobody has done anything for too long."""
    ended = os.pidfd_open(job)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(report, select.POLLIN | select.POLLHUP)
    poll.poll(seconds * 1000)
    # It is ours until it is waited for, so its id is nobody else's.
    os.kill(job, signal.SIGKILL)
    _, status, usage = os.wait4(job, 0)
    report.sendall(frames.encode(_ending(status, usage)))


def _ending(status: int, usage: resource.struct_rusage) -> dict[str, Any]:
    return {
        "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * 1024,
    }


def _keep_only(kept: set[int]) -> None:
    first = 0
    for descriptor in sorted(kept):
        # An empty range from 0 on would be taken for everything.
        if first < descriptor:
            os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, 65_536)
