"""The job's own process: puts on every restraint, then runs a function or becomes a program.

Up to `_confine` this is our code with our rights; behind it everything is taken to be hostile.
"""

import fcntl
import importlib
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

from gptbuilder.sandbox import _filter, _kernel, _landlock, _view, frames

# The id in the cage, where it means nothing; never 0.
INSIDE_ID = 1000
CHANNEL = 3
FIRST_INPUT = 4
LISTENER = b"listener"
LONGEST_DETAIL = 2000
NO_MEMORY_STATUS = 88
_OUT_OF_THE_WAY = 100
_LONGEST_REQUEST = 64 * 1024 * 1024
_STACK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Doors:
    """Descriptors between the job and its warden, all closed before anything hostile runs.

    `trouble` is a socket: what keeps the cage from being complete is said there, and nothing when it is.
    """

    warden_alive: int
    trouble: int
    processes: int


def main(order: dict[str, Any], descriptors: list[int], doors: Doors, backend: str, paths: tuple[str, ...]) -> NoReturn:
    """Never returns. `descriptors`: the channel, where errors go, then the inputs."""
    try:
        run = _confine(order, descriptors, doors, backend, paths)
    except BaseException as error:  # noqa: BLE001, whatever it is, nothing may run uncaged
        os.write(doors.trouble, f"{type(error).__name__}: {error}".encode()[:LONGEST_DETAIL] or b"?")
        os._exit(1)
    try:
        run()
    except MemoryError:
        # There may be none left to say so.
        os._exit(NO_MEMORY_STATUS)
    except BaseException:  # noqa: BLE001, nothing may return into the process this one was forked from
        os._exit(1)
    os._exit(0)


def _confine(
    order: dict[str, Any], descriptors: list[int], doors: Doors, backend: str, paths: tuple[str, ...]
) -> Callable[[], None]:
    limits: dict[str, Any] = order["limits"]
    program: dict[str, Any] | None = order["program"]
    _kernel.prctl(_kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if _hung_up(doors.warden_alive):
        os._exit(1)
    os.setsid()
    os.umask(0o077)
    os.chdir("/")
    loaded_bytes = 0 if program else _size(doors.processes)
    executable = _interpreted(program["path"]) if program else ()
    trouble = _arrange(program is not None, descriptors, doors)
    _set_limits(limits, loaded_bytes, backend)
    _forget_signals()
    _kernel.prctl(_kernel.PR_SET_NO_NEW_PRIVS, 1)
    _kernel.prctl(_kernel.PR_SET_DUMPABLE, 0)
    _kernel.drop_capabilities()
    if backend == "landlock" or _landlock.version():
        _landlock.restrict(_rules(backend, paths, executable))
    if program:
        _hand_over(_kernel.install_asking_filter(_filter.asking_to_execute()), trouble)
        _kernel.install_filter(_filter.program(os.getpid(), may_execute=True))
        return lambda: _execute(program, trouble)
    _kernel.install_filter(_filter.program(os.getpid(), may_execute=False))
    os.close(trouble)
    return lambda: _answer(order["inputs"])


def _hand_over(listener: int, trouble: int) -> None:
    """The warden lets one `execve` pass, ours, and then closes the listener: the program has none left."""
    warden = socket.socket(fileno=trouble)
    socket.send_fds(warden, [LISTENER], [listener])
    warden.detach()
    os.close(listener)


def _hung_up(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, 0)
    return bool(poll.poll(0))


def _size(processes: int) -> int:
    """Bytes of address space in use, which come from the fork server."""
    descriptor = os.open("self/statm", os.O_RDONLY, dir_fd=processes)
    try:
        return int(os.read(descriptor, 100).split()[0]) * resource.getpagesize()
    finally:
        os.close(descriptor)


def _arrange(is_program: bool, descriptors: list[int], doors: Doors) -> int:
    """Give each descriptor its number and close all others; returns the new number of the trouble pipe."""
    nothing = os.open(os.devnull, os.O_RDWR)
    channel, errors, *inputs = descriptors
    if is_program:
        wanted = [inputs[0] if inputs else nothing, channel, errors, doors.trouble]
    else:
        wanted = [nothing, nothing, errors, channel, *inputs, doors.trouble]
    moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _OUT_OF_THE_WAY) for descriptor in wanted]
    for number, descriptor in enumerate(moved):
        os.dup2(descriptor, number, inheritable=True)
    os.closerange(len(moved), 65_536)
    trouble = len(moved) - 1
    os.set_inheritable(trouble, False)
    return trouble


def _set_limits(limits: dict[str, Any], loaded_bytes: int, backend: str) -> None:
    scratch_bytes = limits["disk_bytes"] if backend == "namespaces" else 0
    for which, most in (
        (resource.RLIMIT_AS, loaded_bytes + limits["memory_bytes"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, scratch_bytes),
        (resource.RLIMIT_NOFILE, limits["descriptors"]),
        (resource.RLIMIT_NPROC, 1),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_SIGPENDING, 64),
        (resource.RLIMIT_STACK, _STACK_BYTES),
    ):
        _, ceiling = resource.getrlimit(which)
        most = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
        resource.setrlimit(which, (most, most))


def _forget_signals() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _rules(backend: str, paths: tuple[str, ...], executable: tuple[str, ...]) -> list[tuple[str, int]]:
    rules = [(path, _landlock.EXECUTE | _landlock.READ) for path in executable]
    rules += [(device, _landlock.READ) for device in _view.DEVICES]
    rules += [("/dev/null", _landlock.CHANGE)]
    if backend == "namespaces":
        return [*rules, ("/", _landlock.READ), (_view.SCRATCH, _landlock.CHANGE)]
    return [*rules, *((path, _landlock.READ) for path in paths)]


def _interpreted(path: str) -> tuple[str, ...]:
    """The program, and the loader that it names in its header: executing one takes both."""
    with open(path, "rb") as file:
        head = file.read(4096)
    if head[:4] != b"\x7fELF":
        raise ValueError(f"{path} is no program of this machine")
    offset, size, count = (
        int.from_bytes(head[32:40], "little"),
        int.from_bytes(head[54:56], "little"),
        int.from_bytes(head[56:58], "little"),
    )
    for number in range(count):
        entry = head[offset + number * size : offset + (number + 1) * size]
        if int.from_bytes(entry[:4], "little") == 3:
            start, length = int.from_bytes(entry[8:16], "little"), int.from_bytes(entry[32:40], "little")
            return path, head[start : start + length].rstrip(b"\0").decode()
    return (path,)


def _execute(program: dict[str, Any], trouble: int) -> None:
    try:
        os.execve(program["path"], [program["path"], *program["arguments"]], program["environment"])  # noqa: S606
    except OSError as error:
        os.write(trouble, f"{program['path']}: {error}".encode()[:LONGEST_DETAIL])
        os._exit(1)


def _answer(names: list[str]) -> None:
    request = _read_request()
    inputs: dict[str, BinaryIO] = {name: os.fdopen(FIRST_INPUT + number, "rb") for number, name in enumerate(names)}
    os.environ.clear()
    os.environ.update({"HOME": _view.SCRATCH, "TMPDIR": _view.SCRATCH})
    try:
        answer = frames.encode({"value": _call(request["entry"], inputs, request["arguments"])})
    except MemoryError:
        raise
    except BaseException as error:  # noqa: BLE001, a parser may raise anything, and may even call sys.exit
        answer = frames.encode({"failed": _described(error)})
    _write_all(answer)


def _read_request() -> Any:
    reader = frames.FrameReader(_LONGEST_REQUEST)
    while piece := os.read(CHANNEL, 65_536):
        if (frame := reader.feed(piece)) is not None:
            return frames.decode(frame)
    sys.exit(0)


def _call(entry: str, inputs: dict[str, BinaryIO], arguments: dict[str, Any]) -> Any:
    module, _, name = entry.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function(inputs, **arguments)


def _described(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}"[:LONGEST_DETAIL]
    return text.encode(errors="replace").decode()


def _write_all(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(CHANNEL, view) :]
