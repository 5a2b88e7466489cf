"""The cage in which code that may be hostile runs: every parser of a file now, a code interpreter's sessions later.

`run(Job(...), limits)` and `run(Program(...), limits)` give `Finished` or `Failed`; `backend()` says how strong the
cage is on this machine; `preload` and `approve` prepare it. `doctor` attacks it. No Django in here.
"""

from gptbuilder.sandbox.cage import BACKENDS, Backend, BackendName, Cage, approve, backend, preload, run
from gptbuilder.sandbox.jobs import Failed, Finished, Job, Limits, Program

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendName",
    "Cage",
    "Failed",
    "Finished",
    "Job",
    "Limits",
    "Program",
    "approve",
    "backend",
    "preload",
    "run",
]
