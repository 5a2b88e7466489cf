"""A supervisor with real PostgreSQL and Redis and small stand-ins for the Django half.

`python -m tests.embedded.stand_in HOME [failing]` runs until a signal; with `failing` one child always ends at once.
"""

import sys
from pathlib import Path

from gptbuilder.embedded import places, postgres, redis
from gptbuilder.embedded.children import Child
from gptbuilder.embedded.places import CannotStart
from gptbuilder.embedded.supervisor import StopRequested, Supervisor

# Starts a process of its own, as a prefork pool does, and takes no notice of a polite request to stop.
STUBBORN = "sleep 1000 & trap '' TERM; echo started; wait"


def main(folder: str, *flags: str) -> int:
    home = places.settle(Path(folder))
    try:
        with places.lock(home, "a stand-in"), Supervisor(home, say) as supervisor:
            postgres.prepare(home)
            redis.prepare(home)
            supervisor.start(postgres.child(home, durable=False), redis.child(home))
            supervisor.start(Child("stubborn", ["/bin/sh", "-c", STUBBORN], stop_seconds=0.2))
            if "failing" in flags:
                supervisor.start(Child("failing", ["/bin/sh", "-c", "echo no luck; exit 7"]))
            say("running")
            supervisor.watch(lambda: None)
    except StopRequested:
        return 0
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return 1


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
