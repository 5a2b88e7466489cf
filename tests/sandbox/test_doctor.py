"""The attack suite against each cage, as root and as a plain user; and that it would find a hole."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gptbuilder.sandbox import _outside, doctor
from tests.sandbox.plain_user import PLAIN_ID, run_as_plain_user

ROOT = Path(__file__).parents[2]
# Without a cage these harm nobody.
HARMLESS = (
    "files:read_host_files", "files:list_host_folders", "files:read_environment", "files:read_kernel_views",
    "files:open_devices", "files:change_an_input", "files:follow_links_out", "files:use_open_descriptors",
    "processes:fork_bomb", "processes:start_threads", "processes:open_sockets", "processes:reach_local_services",
    "processes:read_other_memory", "processes:take_descriptors",
    "processes:change_limits", "kernel:hide_memory", "kernel:fill_kernel_buffers",
    "kernel:use_rings", "kernel:change_namespaces", "kernel:call_as_32_bit", "resources:fill_the_disk",
    "resources:fill_the_inodes", "resources:make_a_sparse_giant",
)  # fmt: skip
UNCAGED = """
import importlib, json, resource, sys
from gptbuilder.sandbox import _kernel
# Nothing of these tests may be traced or outlive them.
_kernel.prctl(_kernel.PR_SET_PDEATHSIG, 9)
left_open = open(sys.executable, "rb"), open(sys.executable, "rb")
module, _, name = sys.argv[1].partition(":")
function = getattr(importlib.import_module(f"gptbuilder.sandbox.attacks.{module}"), name)
world = json.loads(sys.argv[2])
print("got", json.dumps(function({"file": open(world["file"], "r+b")}, world)))
"""
SUITE = """
import sys
from gptbuilder.sandbox import doctor
count = 0
for verdict in doctor.examine([sys.argv[1]]):
    count += 1
    if not verdict.stopped:
        print("NOT STOPPED", verdict, flush=True)
print(count, "attacks as", __import__("os").geteuid())
"""
EVERY = sum(len(attack.forms) for attack in doctor.ATTACKS)


@pytest.mark.parametrize("backend", ["namespaces", "landlock"])
def test_every_attack_is_stopped(backend):
    verdicts = list(doctor.examine([backend]))

    assert [verdict for verdict in verdicts if not verdict.stopped] == []
    assert len(verdicts) == EVERY


@pytest.mark.skipif(os.geteuid() != 0, reason="the other test has run it as a plain user")
@pytest.mark.parametrize("backend", ["namespaces", "landlock"])
def test_every_attack_of_a_plain_users_job_is_stopped(backend):
    done = run_as_plain_user("-c", SUITE, backend)

    assert done.stdout == f"{EVERY} attacks as {PLAIN_ID}\n", done.stdout + done.stderr


@pytest.mark.parametrize("name", HARMLESS)
def test_an_attack_gets_what_it_wants_without_a_cage(name, tmp_path):
    with _outside.prepared([], []) as outside:
        done = subprocess.run(
            [sys.executable, "-c", UNCAGED, name, json.dumps(outside.world)],
            cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    # Called as 32-bit code it may also be ended by a kernel that has none.
    assert done.stdout.startswith("got [") and done.stdout != "got []\n", done.stdout + done.stderr


@pytest.mark.parametrize(
    ("harmful", "told"),
    [
        ("Path(world['file']).write_text('changed')", "a file of the host was changed"),
        ("os.chmod(world['file'], 0o666)", "the mode, owner or time of a file of the host was changed"),
        ("Path(world['folder'], 'new').touch()", "something was left in a folder of the host"),
        ("os.kill(world['process'], 9); os.waitpid(world['process'], 0)", "another process was ended"),
        ("socket.create_connection(('127.0.0.1', world['ports'][0])).close()", "a connection came to"),
        ("with socket.socket(socket.AF_UNIX) as one: one.connect(world['sockets'][0])", "a connection came to"),
    ],
)
def test_harm_outside_is_noticed(harmful, told):
    names = {name: importlib.import_module(name) for name in ("os", "socket")}
    with _outside.prepared([], []) as outside:
        assert outside.harm(None) == []

        exec(harmful, {**names, "Path": Path, "world": outside.world})

        assert any(told in sentence for sentence in outside.harm(None))


def test_a_process_that_stays_is_noticed(monkeypatch):
    monkeypatch.setattr(_outside, "PATIENCE_SECONDS", 0)
    child = subprocess.Popen(["/bin/sleep", "1000"])

    with _outside.prepared([], []) as outside:
        harm = outside.harm(os.getpid())

    child.kill()
    child.wait()
    assert f"process {child.pid} was left behind" in harm


@pytest.mark.skipif(os.geteuid() != 0, reason="these tests are no root's")
def test_a_fork_server_of_roots_is_noticed(monkeypatch):
    monkeypatch.setattr(_outside, "PATIENCE_SECONDS", 0)
    with _outside.prepared([], []) as outside:
        assert "the fork server has root's id" in outside.harm(os.getpid())


def test_a_doctor_without_a_cage_gives_no_verdict():
    assert list(doctor.examine([])) == []
