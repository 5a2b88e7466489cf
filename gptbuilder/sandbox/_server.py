"""The fork server: a process without privileges that holds the imported parsers and forks a warden for each job.

It never runs a job's code and reads nothing that comes out of the cage. It ends when its host does, and the kernel
then ends the wardens and their jobs.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys
from typing import Any, NoReturn

from gptbuilder.sandbox import _filter, _kernel, _landlock, _view, _warden

LONGEST_MESSAGE = 65_536
MOST_DESCRIPTORS = 32
LONGEST_TROUBLE = 300
# An id no account owns; neither PostgreSQL's nor Redis' (embedded/places.py).
CAGE_ID = 58_503


class NoCage(Exception):
    """This backend does not work here; the text says why."""


def main(control_number: str) -> NoReturn:
    """Get ready as the first message says, answer with the reason if that fails, then fork until the host is gone."""
    control = socket.socket(fileno=int(control_number))
    setup = json.loads(control.recv(LONGEST_MESSAGE))
    os.umask(0o022)
    processes = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    try:
        paths = _prepare(setup["backend"], setup["programs"], processes)
    except (NoCage, OSError) as error:
        control.send(json.dumps({"trouble": str(error)}).encode())
        sys.exit(1)
    missing = [trouble for module in setup["preload"] if (trouble := _import(module))]
    gc.collect()
    gc.freeze()
    # The kernel then forgets wardens by itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control.send(json.dumps({"ready": os.getpid(), "missing": missing}).encode())
    _serve(control, _warden.Place(setup["backend"], processes, tuple(paths), os.getpid()))


def _prepare(backend: str, programs: dict[str, list[str]], processes: int) -> list[str]:
    if not _filter.supported():
        raise NoCage(f"no list of system calls for {os.uname().machine}")
    if backend == "landlock" and _landlock.version() == 0:
        raise NoCage("the kernel has no Landlock")
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    paths = _view.readable(package, programs)
    as_root = os.geteuid() == 0
    if backend == "namespaces" or (as_root and _may_unshare_mounts()):
        if as_root:
            _kernel.unshare(_kernel.CLONE_NEWNS)
        else:
            _warden.enter_user_namespace(_kernel.CLONE_NEWNS, processes)
        _view.build(paths)
    if as_root:
        _become_nobody()
    _kernel.drop_capabilities()
    _kernel.prctl(_kernel.PR_SET_NO_NEW_PRIVS, 1)
    # Else /proc/self belongs to root after a change of id, and a warden could not write its map of ids there.
    _kernel.prctl(_kernel.PR_SET_DUMPABLE, 1)
    for path in paths:
        if not os.access(path, os.R_OK):
            raise NoCage(f"the unprivileged id {os.geteuid()} may not read {path}")
    return paths


def _may_unshare_mounts() -> bool:
    """Whether root is root enough: in a container it usually is not. Tried in a process of its own."""
    child = os.fork()
    if child == 0:
        try:
            _kernel.unshare(_kernel.CLONE_NEWNS)
        except OSError:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return status == 0


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(CAGE_ID, CAGE_ID, CAGE_ID)
    os.setresuid(CAGE_ID, CAGE_ID, CAGE_ID)


def _import(module: str) -> str:
    """What is wrong with it: the trouble of the job that needs it, and no reason to run no job."""
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001
        return f"{module}: {error}"[:LONGEST_TROUBLE]
    return ""


def _serve(control: socket.socket, place: _warden.Place) -> NoReturn:
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, LONGEST_MESSAGE, MOST_DESCRIPTORS)
        if not message:
            # The wardens die with their parent, and their jobs with them.
            sys.exit(0)
        order: dict[str, Any] = json.loads(message)
        if os.fork() == 0:
            _warden.main(order, descriptors, place)
        for descriptor in descriptors:
            os.close(descriptor)
