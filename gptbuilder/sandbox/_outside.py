"""What the doctor puts outside of the cage, for attacks to find, and whether all of it is well afterwards."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gptbuilder.sandbox._server import CAGE_ID
from gptbuilder.sandbox.attacks import World

# What is left of a job must be gone by then, on a machine that is busy.
PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 0.02
_VARIABLE = "SANDBOX_DOCTOR_SECRET"


@dataclass(frozen=True)
class Outside:
    world: World
    listeners: tuple[socket.socket, ...]
    victim: "subprocess.Popen[bytes]"
    found: os.stat_result

    def harm(self, server: int | None) -> list[str]:
        """Sentences about what is not as it was, or left behind."""
        harm = []
        if self.victim.poll() is not None:
            harm.append("another process was ended")
        file = Path(self.world["file"])
        if not file.exists() or file.read_text() != self.world["secret"]:
            harm.append("a file of the host was changed")
        elif _facts(file.stat()) != _facts(self.found):
            harm.append("the mode, owner or time of a file of the host was changed")
        if sorted(os.listdir(self.world["folder"])) != sorted({file.name, "socket"}):
            harm.append("something was left in a folder of the host")
        harm += [f"a connection came to {each.getsockname()!r}" for each in self.listeners if _was_reached(each)]
        if server is not None:
            harm += [f"the fork server has {each}" for each in _too_powerful(server)]
            harm += [f"process {each} was left behind" for each in _descendants_that_stay(server)]
        return harm


@contextlib.contextmanager
def prepared(sockets: Iterable[str], ports: Iterable[int]) -> Iterator[Outside]:
    """As the user id that the cage has outside: that is the worst case."""
    folder = Path(tempfile.mkdtemp(prefix="sandbox-doctor-"))
    with contextlib.ExitStack() as undo:
        undo.callback(shutil.rmtree, folder)
        secret = secrets.token_hex(16)
        os.environ[_VARIABLE] = secret
        undo.callback(os.environ.pop, _VARIABLE)
        file = folder / "secret.txt"
        file.write_text(secret)
        by_path, by_name, by_port = _listener(socket.AF_UNIX), _listener(socket.AF_UNIX), _listener(socket.AF_INET)
        for listener, address in ((by_path, str(folder / "socket")), (by_name, f"\0{secret}"), (by_port, ("", 0))):
            undo.enter_context(listener)
            listener.bind(address)
            listener.listen()
        _hand_over(folder)
        victim = subprocess.Popen(["/bin/sleep", "1000000"], user=CAGE_ID if os.geteuid() == 0 else None)
        undo.callback(victim.wait)
        undo.callback(victim.send_signal, signal.SIGKILL)
        world = World(
            folder=str(folder),
            file=str(file),
            secret=secret,
            sockets=[str(folder / "socket"), f"@{secret}", *sockets],
            ports=[by_port.getsockname()[1], *ports],
            process=victim.pid,
            root=str(Path(__file__).parents[2]),
        )
        yield Outside(world, (by_path, by_name, by_port), victim, file.stat())


def _hand_over(folder: Path) -> None:
    """As root, what is to be harmed belongs to the cage's id: nothing but the cage must protect it."""
    for path in (folder, *folder.iterdir()):
        if os.geteuid() == 0:
            os.chown(path, CAGE_ID, CAGE_ID)
        path.chmod(0o777 if path.is_dir() or path.is_socket() else 0o644)


def _listener(family: socket.AddressFamily) -> socket.socket:
    listener = socket.socket(family)
    listener.setblocking(False)
    return listener


def _was_reached(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _facts(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns


def _too_powerful(server: int) -> list[str]:
    """Its jobs have what it has, or less."""
    lines = dict(line.split(":\t", 1) for line in Path(f"/proc/{server}/status").read_text().splitlines())
    troubles = ["root's id"] if "0" in lines["Uid"].split() else []
    return troubles + [f"capabilities ({name})" for name in ("CapPrm", "CapEff") if int(lines[name], 16)]


def _descendants_that_stay(server: int) -> list[int]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := _descendants(server)) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    return left


def _descendants(server: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = [server]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found[1:]
