"""What a job finds inside, how it ends at each limit, and that neither it nor a dead fork server holds up the host."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from gptbuilder.embedded import places
from gptbuilder.sandbox import Cage, Failed, Finished, Job, Limits, Program, _server
from gptbuilder.sandbox.jobs import MEGABYTE
from tests.embedded.waiting import until

ROOT = Path(__file__).parents[2]
ECHO = "gptbuilder.sandbox.trial:echo"
CAT = os.path.realpath("/bin/cat")


def attack(name: str) -> Job:
    return Job(f"gptbuilder.sandbox.attacks.{name}", {"world": {}})


def echoed(cage: Cage, word: object) -> object:
    outcome = cage.run(Job(ECHO, {"word": word}))
    assert isinstance(outcome, Finished), outcome
    return outcome.value


def jobs_of(cage: Cage) -> list[psutil.Process]:
    return psutil.Process(cage.process_id()).children(recursive=True)


# --- Inside --------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [None, 0.1, "中文 🌲", {"a": [1, {"b": []}]}, "x" * 5_000_000])
def test_arguments_and_answers_are_the_same_values(cage, word):
    assert echoed(cage, word) == word


def test_a_job_finds_its_inputs_and_nothing_of_its_host(cage, tmp_path):
    (tmp_path / "one").write_text("1")
    (tmp_path / "two").write_text("2")
    inputs = {"first": tmp_path / "one", "second": tmp_path / "two"}

    outcome = cage.run(Job("gptbuilder.sandbox.trial:describe", inputs=inputs))

    assert isinstance(outcome, Finished), outcome
    assert outcome.value["inputs"] == {"first": "1", "second": "2"}
    assert outcome.value["environment"] == {"HOME": "/scratch", "TMPDIR": "/scratch"}
    assert outcome.value["folder"] == "/"
    assert outcome.value["user"] != 0
    assert 0 < outcome.peak_bytes < 1000 * MEGABYTE


def test_the_better_cage_has_a_small_disk_and_the_weaker_one_none(cage):
    outcome = cage.run(Job("gptbuilder.sandbox.trial:keep_on_disk", {"text": "kept"}))

    if cage.backend().name == "namespaces":
        assert isinstance(outcome, Finished), outcome
        assert outcome.value == "kept"
    else:
        assert isinstance(outcome, Failed)
        assert outcome.reason == "crashed"


def test_one_job_finds_nothing_of_another(cage):
    cage.run(Job("gptbuilder.sandbox.trial:keep_on_disk", {"text": "kept"}))

    world = {"file": "/scratch/kept.txt", "root": "/"}
    outcome = cage.run(Job("gptbuilder.sandbox.attacks.files:read_host_files", {"world": world}))

    assert isinstance(outcome, Finished), outcome
    assert outcome.value == []


def test_what_a_function_raises_is_told_and_bounded(cage):
    outcome = cage.run(attack("answers:end_by_exception"), Limits(memory_bytes=1000 * MEGABYTE))

    assert isinstance(outcome, Failed)
    assert outcome.reason == "crashed"
    assert outcome.detail.startswith("ValueError: xxx")
    assert len(outcome.detail) <= 2000


def test_a_function_that_is_not_there_is_a_crash_of_the_job(cage):
    outcome = cage.run(Job("gptbuilder.sandbox.nothing:here"))

    assert outcome == Failed("crashed", "ModuleNotFoundError: No module named 'gptbuilder.sandbox.nothing'")


def test_an_input_that_is_not_there_is_the_callers_trouble(cage, tmp_path):
    with pytest.raises(FileNotFoundError):
        cage.run(Job(ECHO, {"word": 1}, {"file": tmp_path / "missing"}))


@pytest.mark.parametrize(
    ("name", "limits", "reason"),
    [
        ("resources:allocate_piece_by_piece", Limits(memory_bytes=64 * MEGABYTE), "memory"),
        ("resources:compute_forever", Limits(cpu_seconds=1), "time"),
        ("resources:sleep_forever", Limits(wall_seconds=0.2), "time"),
        ("answers:hang_up_and_go_on", Limits(), "crashed"),
        ("answers:flood_the_errors", Limits(), "output"),
        ("answers:claim_a_huge_frame", Limits(), "output"),
        ("answers:crash_in_native_code", Limits(), "crashed"),
        ("answers:answer_too_deep", Limits(), "crashed"),
    ],
)
def test_each_limit_ends_a_job_with_its_reason_and_leaves_nothing(cage, name, limits, reason):
    outcome = cage.run(attack(name), limits)

    assert isinstance(outcome, Failed)
    assert outcome.reason == reason, outcome
    until(lambda: not jobs_of(cage))


def test_an_answer_over_the_limit_is_not_read(cage):
    outcome = cage.run(Job(ECHO, {"word": "x" * 2000}), Limits(output_bytes=1000))

    assert isinstance(outcome, Failed)
    assert outcome.reason == "output"


def test_a_module_that_cannot_be_preloaded_is_logged_and_stops_nothing(caplog):
    cage = Cage()
    cage.preload(["gptbuilder.sandbox.trial", "gptbuilder.sandbox.nothing"])

    assert echoed(cage, 1) == 1

    cage.close()
    assert "No module named 'gptbuilder.sandbox.nothing'" in caplog.text
    assert "trial" not in caplog.text


# --- Programs ------------------------------------------------------------------------------------


def test_a_program_reads_its_input_and_its_output_is_the_answer(cage, tmp_path):
    (tmp_path / "picture").write_bytes(bytes(range(256)) * 1000)

    outcome = cage.run(Program(CAT, stdin=tmp_path / "picture"))

    assert isinstance(outcome, Finished), outcome
    assert outcome.value == bytes(range(256)) * 1000


def test_a_program_has_the_environment_it_was_given_and_no_other(cage):
    outcome = cage.run(Program("/usr/bin/env", environment={"LC_ALL": "C.UTF-8"}))

    assert isinstance(outcome, Finished), outcome
    assert set(outcome.value.split()) == {b"LC_ALL=C.UTF-8", b"OMP_THREAD_LIMIT=1"}


def test_a_program_that_fails_says_why(cage):
    outcome = cage.run(Program(CAT, ("/etc/passwd",)))

    assert isinstance(outcome, Failed)
    assert outcome.reason == "crashed"
    assert "it ended with status 1" in outcome.detail
    assert "/etc/passwd" in outcome.detail


def test_a_program_cannot_execute_another_one(cage):
    outcome = cage.run(Program("/usr/bin/env", (CAT,)))

    assert isinstance(outcome, Failed)
    assert CAT in outcome.detail


def test_a_program_that_writes_too_much_is_ended(cage, tmp_path):
    (tmp_path / "picture").write_bytes(bytes(100_000))

    outcome = cage.run(Program(CAT, stdin=tmp_path / "picture"), Limits(output_bytes=1000))

    assert outcome == Failed("output", "more output than 1,000 bytes")


def test_only_an_approved_program_runs(cage):
    with pytest.raises(ValueError, match="/bin/sh was not approved"):
        cage.run(Program("/bin/sh"))


def test_a_script_is_refused_before_it_runs(tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\necho ran\n")
    script.chmod(0o755)
    tmp_path.chmod(0o755)
    cage = Cage()
    cage.approve(str(script))

    outcome = cage.run(Program(str(script)))

    cage.close()
    assert isinstance(outcome, Failed)
    assert outcome.reason == "refused"


# --- The host's side -----------------------------------------------------------------------------


def test_many_threads_get_each_its_own_answer(cage):
    with ThreadPoolExecutor(8) as pool:
        words = list(pool.map(lambda number: echoed(cage, number), range(24)))

    assert words == list(range(24))


def test_a_slow_job_does_not_hold_up_another(cage):
    slow = threading.Thread(target=cage.run, args=(attack("resources:sleep_forever"), Limits(wall_seconds=1000)))
    slow.start()
    until(lambda: len(jobs_of(cage)) == 2)

    assert echoed(cage, "quick") == "quick"

    jobs_of(cage)[-1].kill()
    slow.join()


def test_a_killed_job_is_a_crash(cage):
    outcomes: list[object] = []
    job = threading.Thread(
        target=lambda: outcomes.append(cage.run(attack("resources:sleep_forever"), Limits(wall_seconds=1000)))
    )
    job.start()
    until(lambda: len(jobs_of(cage)) == 2)

    jobs_of(cage)[-1].kill()
    job.join()

    assert outcomes == [Failed("crashed", "it was ended by SIGKILL")]


def test_a_killed_fork_server_ends_its_jobs_and_is_started_again(cage):
    outcomes: list[object] = []
    busy = attack("resources:compute_forever"), Limits(cpu_seconds=1000, wall_seconds=1000)
    job = threading.Thread(target=lambda: outcomes.append(cage.run(*busy)))
    job.start()
    family = until(lambda: [*found] if len(found := jobs_of(cage)) == 2 else None)
    killed = cage.process_id()
    # It must be at work: a job that has not begun is simply given to the next fork server.
    until(lambda: family[1].cpu_times().user > 0.3)

    os.kill(killed, signal.SIGKILL)
    job.join(60)

    assert outcomes == [Failed("crashed", "the cage was ended from outside")]
    assert not psutil.wait_procs(family, timeout=20)[1]
    assert echoed(cage, "again") == "again"
    assert cage.process_id() != killed


def test_a_killed_fork_server_is_not_noticed_by_the_next_job(cage):
    assert echoed(cage, 1) == 1
    os.kill(cage.process_id(), signal.SIGKILL)

    assert echoed(cage, 2) == 2


def test_a_fork_server_that_is_stopped_holds_up_nobody_for_good(cage):
    echoed(cage, 1)
    stopped = cage.process_id()
    os.kill(stopped, signal.SIGSTOP)

    outcome = cage.run(Job(ECHO, {"word": 1}), Limits(wall_seconds=0.2))

    assert isinstance(outcome, Failed)
    assert outcome.reason == "time"
    assert not psutil.pid_exists(stopped)
    assert echoed(cage, 2) == 2


def test_a_child_of_the_host_starts_a_fork_server_of_its_own():
    script = """
import os
from gptbuilder.sandbox import Cage, Job
cage = Cage()
job = Job("gptbuilder.sandbox.trial:echo", {"word": "hello"})
print(cage.run(job).value, flush=True)
ours = cage.process_id()
if os.fork() == 0:
    print(cage.run(job).value, cage.process_id() != ours, flush=True)
    cage.close()
    os._exit(0)
os.wait()
print(cage.run(job).value, cage.process_id() == ours, flush=True)
"""

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.splitlines() == ["hello", "hello True", "hello True"], done.stderr


def test_everything_ends_with_a_host_that_is_killed():
    script = """
import threading
from gptbuilder.sandbox import Cage, Job
cage = Cage()
cage.backend()
print(cage.process_id(), flush=True)
cage.run(Job("gptbuilder.sandbox.attacks.resources:sleep_forever", {"world": {}}))
"""
    host = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    server = psutil.Process(int(host.stdout.readline()))
    family = until(lambda: [server, *found] if len(found := server.children(recursive=True)) == 2 else None)

    host.kill()
    host.communicate()

    assert not psutil.wait_procs(family, timeout=20)[1]


def test_it_runs_from_a_folder_that_only_its_owner_may_enter(cage, tmp_path):
    """As root, the cage's id is another one, and could not go there."""
    private = tmp_path / "private"
    shutil.copytree(ROOT / "gptbuilder" / "sandbox", private / "repository" / "gptbuilder" / "sandbox")
    (private / "repository" / "gptbuilder" / "__init__.py").touch()
    private.chmod(0o700)
    script = """
import sys
from gptbuilder.sandbox import Cage, Job
cage = Cage([sys.argv[1]])
print(cage.run(Job("gptbuilder.sandbox.attacks.processes:become_somebody", {"world": {}})))
cage.close()
"""

    done = subprocess.run(
        [sys.executable, "-c", script, cage.backend().name],
        cwd=private / "repository", capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.stdout.startswith("Finished(value=[]"), done.stdout + done.stderr


def test_without_a_cage_nothing_runs_and_the_reason_is_told():
    cage = Cage(())

    assert cage.backend().name == "none"
    assert cage.run(Job(ECHO, {"word": 1})) == Failed("refused", cage.backend().reason)


def test_the_cage_has_an_id_that_is_nobody_elses():
    assert len({0, _server.CAGE_ID, places.POSTGRES_ID, places.REDIS_ID}) == 4
