"""`python -m gptbuilder`: start everything that no address was given for, prepare the data, serve until Ctrl-C.

`python -m gptbuilder manage …` runs a command of manage.py with the addresses and keys of this installation.
`python -m gptbuilder children --json` prints the ids of the running processes by name; `… beat FILE` is one of them.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from gptbuilder.embedded import application, embedder, keys, model, places, postgres, redis
from gptbuilder.embedded.children import Child
from gptbuilder.embedded.model_status import read_status
from gptbuilder.embedded.places import CannotStart, Places
from gptbuilder.embedded.progress import Progress
from gptbuilder.embedded.supervisor import StopRequested, Supervisor

DATABASE_BYTES = 200_000_000
# Addresses to listen on that are no addresses to go to.
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["children"]:
        return show_children(as_json="--json" in arguments)
    if arguments[:1] == ["beat"]:
        return beat(arguments[1])
    if arguments[:1] == ["manage"]:
        return manage(arguments[1:])
    if arguments:
        print(__doc__)
        return 2
    try:
        up()
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"GPT Builder stopped because the machine refused something: {error.strerror}{where}.", file=sys.stderr)
        return 1
    return 0


def up() -> None:
    host, port = listening_address()
    home = places.settle(places.default_home())
    base_url = os.environ.get("BASE_URL") or address_for_people(host, port)
    with places.lock(home, base_url):
        places.require_free_port(host, port)
        places.require_space(home.home, DATABASE_BYTES, "The database")
        progress = Progress(sys.stdout)
        supervisor = Supervisor(home, lambda line: say(progress, line))
        try:
            with supervisor:
                start_all(supervisor, home, host, port, base_url)
                say_where(progress, base_url, home.home / "signin_link")
                supervisor.watch(lambda: show_model(progress, home))
        except StopRequested:
            say(progress, "Stopped.")
        except CannotStart:
            # Ctrl-C reaches the helpers of a start as well, and their failure is only its echo.
            if not supervisor.stop_requested:
                raise


def start_all(supervisor: Supervisor, home: Places, host: str, port: int, base_url: str) -> None:
    """Only what the environment gives no address for is started; the children inherit the addresses of the rest."""
    os.environ.update(common_environment(home, base_url))
    services: list[Child] = []
    models = [] if os.environ.get("OPENAI_BASE_URL") else [local_model(home)]
    if embedder.is_wanted(home):
        models.append(local_embedder(home))
    has_own_database = not os.environ.get("DATABASE_URL")
    if has_own_database:
        postgres.prepare(home)
        services.append(postgres.child(home))
        os.environ["DATABASE_URL"] = postgres.address(home)
    if not os.environ.get("REDIS_URL"):
        redis.prepare(home)
        services.append(redis.child(home))
        os.environ["REDIS_URL"] = redis.address(home)
    collected = application.static_stamp(home.home)
    if not collected.is_current:
        supervisor.begin(application.collectstatic())
    supervisor.start(*services)
    prepare_database(supervisor, home, is_own=has_own_database)
    supervisor.finish()
    collected.renew()
    supervisor.begin(application.signin_link(base_url, home.home / "signin_link"))
    web, *workers = application.children(home.home, host, port)
    supervisor.start(replace(web, is_ready=lambda: answers(host, port)), *workers, *models)
    supervisor.finish()


def prepare_database(supervisor: Supervisor, home: Places, *, is_own: bool) -> None:
    if not is_own:
        supervisor.begin(application.migrate())
        supervisor.finish()
        return
    postgres.create_database(home)
    migrated = application.migrations_stamp(home.home / "postgres")
    if not migrated.is_current:
        supervisor.begin(application.migrate())
        supervisor.finish()
        migrated.renew()


def local_model(home: Places) -> Child:
    model.prepare(home)
    port, key = places.free_port(), secrets.token_urlsafe(24)
    os.environ.update(
        OPENAI_BASE_URL=f"http://{model.HOST}:{port}/v1",
        OPENAI_API_KEY=key,
        OPENAI_MODEL=model.MODEL_NAME,
        LOCAL_MODEL="1",
        MODEL_STATUS_FILE=str(model.status_file(home)),
    )
    return model.child(home, port, key)


def local_embedder(home: Places) -> Child:
    embedder.prepare(home)
    port, key = places.free_port(), secrets.token_urlsafe(24)
    os.environ.update(LOCAL_EMBEDDING_URL=f"http://{embedder.HOST}:{port}/v1", LOCAL_EMBEDDING_API_KEY=key)
    return embedder.child(home, port, key)


def common_environment(home: Places, base_url: str) -> dict[str, str]:
    """What every child is told; what the person has set goes before it."""
    ours = {
        "GPTBUILDER_HOME": str(home.home),
        "MEDIA_ROOT": str(home.home / "files"),
        "STATIC_ROOT": str(home.home / "static"),
        "BASE_URL": base_url,
        "PYTHONUNBUFFERED": "1",
    }
    environment = {name: os.environ.get(name) or value for name, value in ours.items()}
    environment["SECRET_KEY"] = os.environ.get("SECRET_KEY") or keys.secret_key(home.home)
    environment["FIELD_KEYS"] = os.environ.get("FIELD_KEYS") or keys.field_keys(home.home)
    return environment


def manage(arguments: list[str]) -> int:
    home = places.settle(places.default_home())
    os.environ.setdefault("DATABASE_URL", postgres.address(home))
    os.environ.setdefault("REDIS_URL", redis.address(home))
    os.environ.update(common_environment(home, os.environ.get("BASE_URL") or address_for_people(*listening_address())))
    # From where the person stands, so that the files they name are theirs.
    command = [application.PYTHON, str(application.ROOT / "manage.py"), *arguments]
    return subprocess.run(command, check=False).returncode


def beat(schedule_file: str) -> int:
    """Celery's scheduler without Django's models: it only sends names, and so needs half the memory and start."""
    import logging

    from celery.beat import Service

    from gptbuilder.celery import app

    logging.basicConfig(level=logging.WARNING)
    # It waits in a plain sleep, which only an exception ends.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    Service(app, schedule_filename=schedule_file).start()
    return 0


def listening_address() -> tuple[str, int]:
    named = os.environ.get("PORT") or "8000"
    if not named.isdecimal() or not 0 < int(named) < 65_536:
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {named!r}.")
    return os.environ.get("HOST") or "127.0.0.1", int(named)


def address_for_people(host: str, port: int) -> str:
    name = ANY_ADDRESS.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def answers(host: str, port: int) -> bool:
    """uvicorn listens only after the application is loaded."""
    try:
        with socket.create_connection((ANY_ADDRESS.get(host, host), port), timeout=1):
            return True
    except OSError:
        return False


def say_where(progress: Progress, base_url: str, link: Path) -> None:
    say(progress, f"GPT Builder runs at {base_url} (Ctrl-C stops it)")
    if link.exists():
        say(progress, f"Sign in as its administrator, once, by this link: {link.read_text()}")
        link.unlink()


def show_model(progress: Progress, home: Places) -> None:
    if model.status_file(home).exists():
        progress.show(read_status(model.status_file(home)))


def show_children(*, as_json: bool) -> int:
    file = places.default_home() / "children.json"
    found = json.loads(file.read_text()) if file.exists() else {}
    ids = {name: number for name, number in found.items() if places.is_alive(number)}
    lines = [f"{number:>8} {name}" for name, number in ids.items()] or ["Nothing runs."]
    print(json.dumps(ids) if as_json else "\n".join(lines))
    return 0 if ids else 1


def say(progress: Progress, line: str) -> None:
    progress.close_line()
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
