"""Where the embedded services keep their things, under which ids they run, and what must be free before they start."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# Ids no account owns. Neither is the sandbox's: with trust authentication, the database's id owns the data.
POSTGRES_ID = 58_501
REDIS_ID = 58_502
LONGEST_SOCKET_PATH = 107
LOCK_NAME = "running.lock"
# The guardian of a killed supervisor holds the folder until everything has left it.
CLEARING_UP_SECONDS = 6.0


class CannotStart(Exception):
    """A person must change something first; the text is the one sentence they read."""


@dataclass(frozen=True)
class Places:
    """The data folder, and the folder of the Unix sockets: elsewhere when the path would be too long for them."""

    home: Path
    sockets: Path

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def children_file(self) -> Path:
        return self.home / "children.json"


def default_home() -> Path:
    """GPTBUILDER_HOME, else /var/lib/gptbuilder for root, else the person's data folder."""
    if named := os.environ.get("GPTBUILDER_HOME"):
        return Path(named).expanduser().absolute()
    if is_root():
        return Path("/var/lib/gptbuilder")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "gptbuilder"


def settle(home: Path) -> Places:
    """Make the data folder. As root it must let the dropped ids pass; only a folder that is ours is opened for that."""
    home = home.absolute()
    try:
        home.mkdir(mode=0o711 if is_root() else 0o700, parents=True, exist_ok=True)
        if is_root():
            _let_others_pass(home)
        places = Places(home, _socket_folder(home))
        places.logs.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"The data folder {home} cannot be used ({error.strerror}): set GPTBUILDER_HOME to another one."
        ) from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise CannotStart(f"The data folder {home} is not writable: set GPTBUILDER_HOME to another one.")
    return places


def lock(places: Places, address: str) -> IO[str]:
    """Hold the data folder until the returned file is closed or the process dies, however it dies."""
    file = (places.home / LOCK_NAME).open("a+")
    deadline = time.monotonic() + CLEARING_UP_SECONDS
    while not _locked(file):
        holder = lock_holder(places.home)
        if is_alive(holder.get("pid")) or time.monotonic() > deadline:
            file.close()
            raise CannotStart(
                f"GPT Builder is already running with the data in {places.home}"
                f" (process {holder.get('pid', '?')}, {holder.get('address', 'still starting')})."
            )
        time.sleep(0.05)
    file.truncate(0)
    file.write(json.dumps({"pid": os.getpid(), "address": address}))
    file.flush()
    return file


def lock_holder(home: Path) -> dict[str, object]:
    """What the process that holds (or last held) the folder wrote about itself."""
    try:
        holder = json.loads((home / LOCK_NAME).read_text())
    except (OSError, ValueError):
        return {}
    return holder if isinstance(holder, dict) else {}


def is_alive(process_id: object) -> bool:
    """Whether it still runs; a killed process that its parent has not taken note of (a zombie) does not."""
    if not isinstance(process_id, int):
        return False
    try:
        os.kill(process_id, 0)
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:
        return True


def is_root() -> bool:
    return os.geteuid() == 0


def own_folder(folder: Path, owner: int | None) -> Path:
    """A folder that only `owner` may enter (ourselves when None); an existing one is handed over with all it holds."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if owner is not None and folder.stat().st_uid != owner:
        for path in folder.rglob("*"):
            os.chown(path, owner, owner, follow_symlinks=False)
        # Last, so that a hand-over cut short is seen next time.
        os.chown(folder, owner, owner)
    folder.chmod(0o700)
    return folder


def require_space(folder: Path, needed_bytes: int, purpose: str) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise CannotStart(
            f"{purpose} needs {needed_bytes / 1e9:.1f} GB in {folder} and only {free_bytes / 1e9:.1f} GB is free:"
            " make room, or set GPTBUILDER_HOME to a folder on another disk."
        )


def require_free_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CannotStart(
                    f"Port {port} on {host} is in use: choose another one, for example PORT={port + 1} make up."
                ) from error
            raise CannotStart(
                f"{host}:{port} cannot be used ({error.strerror}): set HOST and PORT to others."
            ) from error


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def write_atomically(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Readers see the old content or the new one, never half of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    partial.replace(path)


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _let_others_pass(home: Path) -> None:
    ours = not any(home.iterdir()) or (home / LOCK_NAME).exists()
    if ours and not home.stat().st_mode & 0o001:
        home.chmod(home.stat().st_mode | 0o011)
    for folder in (home, *home.parents):
        if not folder.stat().st_mode & 0o001:
            raise CannotStart(
                f"PostgreSQL refuses to run as root, and its unprivileged id may not enter {folder}:"
                " set GPTBUILDER_HOME to a folder outside of it, for example /var/lib/gptbuilder."
            )


def _socket_folder(home: Path) -> Path:
    folder = home / "sockets"
    if len(os.fsencode(folder / "postgres" / ".s.PGSQL.5432.lock")) > LONGEST_SOCKET_PATH:
        digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
        short = Path("/run" if is_root() else "/tmp")  # noqa: S108, a folder somebody else put there is refused
        folder = short / f"gptbuilder-{os.geteuid()}-{digest}"
    mode = 0o711 if is_root() else 0o700
    folder.mkdir(mode=mode, exist_ok=True)
    if folder.is_symlink() or folder.lstat().st_uid != os.geteuid():
        raise CannotStart(f"{folder} belongs to somebody else: set GPTBUILDER_HOME to a folder with a shorter path.")
    folder.chmod(mode)
    return folder
