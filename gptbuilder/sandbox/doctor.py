"""The attack suite: what a hostile job can do on this machine, in this cage, tried out. A verdict for each attack.

Most attacks run twice: as a function, and as a program of its own (an approved Python), whose filter differs.
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from gptbuilder.sandbox import _outside
from gptbuilder.sandbox.attacks import World
from gptbuilder.sandbox.cage import BACKENDS, BackendName, Cage
from gptbuilder.sandbox.jobs import MEGABYTE, Failed, Finished, Job, Limits, Program, Reason

Form = Literal["function", "program"]
LIMITS = Limits(
    memory_bytes=256 * MEGABYTE,
    cpu_seconds=10,
    wall_seconds=60,
    output_bytes=16 * MEGABYTE,
    disk_bytes=8 * MEGABYTE,
    files=100,
)
SOON = replace(LIMITS, wall_seconds=1)
LITTLE_WORK = replace(LIMITS, cpu_seconds=1)
LITTLE_MEMORY = replace(LIMITS, memory_bytes=64 * MEGABYTE)
_BOTH: tuple[Form, ...] = ("function", "program")
# The folder in which our package lies is not in the cage, so nobody can look it up there.
_RUN = """import sys, types
package = sys.modules["gptbuilder"] = types.ModuleType("gptbuilder")
package.__path__ = [sys.argv[1]]
from gptbuilder.sandbox import attacks
attacks.main()"""


@dataclass(frozen=True)
class Attack:
    """`function` of `attacks.module`. It is stopped when it got nothing, or ended in one of `ends`."""

    module: str
    function: str
    forms: tuple[Form, ...] = _BOTH
    ends: tuple[Reason, ...] = ()
    limits: Limits = LIMITS

    @property
    def name(self) -> str:
        return self.function.replace("_", " ")


@dataclass(frozen=True)
class Verdict:
    """`result` says how the attack ended; `harm` what it did outside, which must be nothing."""

    attack: Attack
    form: Form
    result: str
    harm: tuple[str, ...]
    stopped: bool


def _all(module: str, *functions: str, ends: tuple[Reason, ...] = (), limits: Limits = LIMITS) -> list[Attack]:
    return [Attack(module, function, ends=ends, limits=limits) for function in functions]


def _said(*functions: str, ends: tuple[Reason, ...] = ("crashed",), limits: Limits = LIMITS) -> list[Attack]:
    """On the channel of frames, which a program has not."""
    return [Attack("answers", function, ("function",), ends, limits) for function in functions]


ATTACKS: tuple[Attack, ...] = (
    *_all("files", "read_host_files", "list_host_folders", "read_environment", "read_kernel_views", "open_devices"),
    *_all("files", "write_host_files", "change_an_input", "follow_links_out", "use_open_descriptors"),
    *_all("files", "type_into_the_terminal", "open_by_handle"),
    *_all(
        "processes",
        "fork_bomb",
        "fork_by_raw_calls",
        "start_threads",
        "execute_programs",
        "open_sockets",
        "reach_local_services",
    ),
    *_all("processes", "send_signals", "trace_processes", "read_other_memory", "take_descriptors", "change_limits"),
    *_all("processes", "undo_restraints", "become_somebody"),
    *_all("kernel", "change_mounts", "change_namespaces", "command_the_machine", "use_key_rings", "watch_the_kernel"),
    *_all("kernel", "use_rings", "hide_memory", "fill_kernel_buffers"),
    *_all("kernel", "call_as_32_bit", "call_as_x32", ends=("crashed",)),
    *_all("resources", "allocate_20_gigabytes", "fill_the_disk", "fill_the_inodes", "make_a_sparse_giant"),
    *_all("resources", "allocate_piece_by_piece", "grow_objects", ends=("memory", "crashed"), limits=LITTLE_MEMORY),
    *_all("resources", "compute_forever", "compute_forever_deaf", ends=("time",), limits=LITTLE_WORK),
    *_all("resources", "sleep_forever", "stop_oneself", ends=("time",), limits=SOON),
    Attack("answers", "flood_the_output", ("program",), ends=("output",)),
    *_said("flood_the_answer", ends=("output", "memory")),
    *_said("flood_the_errors", "claim_a_huge_frame", ends=("output",)),
    *_said("answer_too_many"),
    *_said("answer_too_deep", "answer_not_a_number", "answer_infinity", "answer_a_giant_number", "answer_no_text"),
    *_said("answer_half_a_character", "answer_quotes_without_end", "answer_something_else", "answer_a_pickle"),
    *_said("answer_half_a_frame", "end_without_an_answer", "crash", "crash_in_native_code", "overflow_the_stack"),
    *_said("end_by_exception", "exit_politely", "hang_up_and_go_on"),
    *_said("flood_the_channel", "answer_and_go_on", ends=()),
)


def examine(
    backends: Sequence[BackendName] = BACKENDS, sockets: Iterable[str] = (), ports: Iterable[int] = ()
) -> Iterator[Verdict]:
    """Run all attacks, one after another, about a minute. `sockets` and `ports`: services of this machine to protect.

    Nothing is yielded when there is no cage.
    """
    python = os.path.realpath(sys.executable)
    cage = Cage(backends)
    cage.approve(python)
    with _outside.prepared(sockets, ports) as outside:
        try:
            if cage.backend().name != "none":
                yield from _tried(cage, python, outside)
        finally:
            cage.close()


def _tried(cage: Cage, python: str, outside: _outside.Outside) -> Iterator[Verdict]:
    for attack in ATTACKS:
        for form in attack.forms:
            job = _job(attack, outside.world) if form == "function" else _program(attack, python, outside.world)
            began = time.monotonic()
            outcome = cage.run(job, attack.limits)
            harm = outside.harm(cage.process_id())
            if time.monotonic() - began > attack.limits.wall_seconds + _outside.PATIENCE_SECONDS:
                harm.append("the host waited too long")
            yield Verdict(attack, form, _told(outcome), tuple(harm), _is_stopped(attack, outcome) and not harm)


def _job(attack: Attack, world: World) -> Job:
    entry = f"gptbuilder.sandbox.attacks.{attack.module}:{attack.function}"
    return Job(entry, {"world": world}, {"file": Path(world["file"])})


def _program(attack: Attack, python: str, world: World) -> Program:
    entry = f"gptbuilder.sandbox.attacks.{attack.module}:{attack.function}"
    package = str(Path(__file__).parents[1])
    return Program(python, ("-I", "-B", "-c", _RUN, package, entry, json.dumps(world)), Path(world["file"]))


def _is_stopped(attack: Attack, outcome: Finished | Failed) -> bool:
    match outcome:
        case Finished(value):
            return _got(value) == []
        case Failed(reason):
            return reason in attack.ends


def _got(value: object) -> object:
    return json.loads(value) if isinstance(value, bytes) else value


def _told(outcome: Finished | Failed) -> str:
    match outcome:
        case Finished(value):
            got = _got(value)
            return "got nothing" if got == [] else f"got {got}"
        case Failed(reason, detail):
            return f"{reason}: {detail}"
