"""What a job in the cage costs, in time and in memory.

`new_session_ms_p50`: from `run` to the first line of the function, in a new caged process. `call_ms_p50`: a whole
`run`, until the answer is here and nothing of the process is left. Memory is PSS of a job and its warden (pages that
processes share are divided among them), waiting (`idle`) and with a table of 50,000 rows (`active`); the fork server
that all jobs share is apart.
"""

import statistics
import sys
import threading
import time
from pathlib import Path

import psutil
from _figures import arguments, show

sys.path.insert(0, str(Path(__file__).parents[1]))
from gptbuilder.sandbox import Cage, Finished, Job, Limits

CALLS = 200
SESSIONS = 5
TABLE_ROWS = 50_000
SETTLE_SECONDS = 0.3
TRIAL = "gptbuilder.sandbox.trial"


def main() -> None:
    asked = arguments(__doc__)
    cage = Cage()
    cage.preload([TRIAL])
    began = time.monotonic()
    backend = cage.backend()
    if backend.name == "none":
        sys.exit(f"There is no cage here, so nothing was measured: {backend.reason}")
    first_start_ms = (time.monotonic() - began) * 1000
    starts, calls = zip(*(timed(cage) for _ in range(CALLS // 10 if asked.quick else CALLS)), strict=True)
    sessions = 2 if asked.quick else SESSIONS
    figures = {
        "backend": backend.name,
        "new_session_ms_p50": statistics.median(starts),
        "call_ms_p50": statistics.median(calls),
        "fork_server_start_ms": first_start_ms,
        "fork_server_mb": psutil.Process(cage.process_id()).memory_full_info().pss / 1e6,
        "idle_session_mb": memory_mb(cage, 0, sessions),
        "active_session_mb": memory_mb(cage, TABLE_ROWS, sessions),
    }
    cage.close()
    show("sandbox", figures, as_json=asked.json)


def timed(cage: Cage) -> tuple[float, float]:
    began = time.monotonic()
    outcome = cage.run(Job(f"{TRIAL}:clock"))
    ended = time.monotonic()
    if not isinstance(outcome, Finished):
        sys.exit(f"A job that does nothing failed: {outcome}")
    return (outcome.value - began) * 1000, (ended - began) * 1000


def memory_mb(cage: Cage, rows: int, sessions: int) -> float:
    """Of one job, when so many are there."""
    job, limits = Job(f"{TRIAL}:wait_with_a_table", {"rows": rows}), Limits(wall_seconds=1000)
    threads = [threading.Thread(target=cage.run, args=(job, limits)) for _ in range(sessions)]
    for thread in threads:
        thread.start()
    before, used = -1.0, 0.0
    while used != before or len(processes(cage)) < 2 * sessions:
        time.sleep(SETTLE_SECONDS)
        before, used = used, sum(process.memory_full_info().pss for process in processes(cage)) / 1e6
    for process in processes(cage):
        process.kill()
    for thread in threads:
        thread.join()
    return used / sessions


def processes(cage: Cage) -> list[psutil.Process]:
    return psutil.Process(cage.process_id()).children(recursive=True)


if __name__ == "__main__":
    main()
