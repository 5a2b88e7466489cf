"""The command prints a verdict for each attack and the figures; without a cage it says why and fails."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from gptbuilder.operation.management.commands import sandbox_doctor
from gptbuilder.sandbox import doctor
from gptbuilder.sandbox.doctor import Attack


def test_it_prints_verdicts_and_as_last_line_the_figures(monkeypatch, capsys):
    never_stopped = Attack("answers", "crash", ends=())
    some = (Attack("processes", "open_sockets"), Attack("processes", "reach_local_services"), never_stopped)
    monkeypatch.setattr(doctor, "ATTACKS", some)

    call_command("sandbox_doctor", "--json", "--backend", "landlock")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Backend: landlock"
    assert lines[1].split() == ["stopped", "function", "open", "sockets", "got", "nothing"]
    assert [line.startswith("NOT STOPPED") for line in lines[1:7]] == [False] * 4 + [True] * 2
    assert lines[7] == "4 of 6 attacks were stopped."
    figures = {"attacks": 6, "stopped": 4, "backend": "landlock"}
    assert json.loads(lines[8]) == {"name": "sandbox_doctor", "figures": figures}


def test_without_a_cage_it_says_so_and_fails(monkeypatch, capsys):
    monkeypatch.setattr(sandbox_doctor.sandbox, "BACKENDS", ())

    with pytest.raises(CommandError, match="There is no cage on this machine"):
        call_command("sandbox_doctor", "--json")

    figures = {"attacks": 0, "stopped": 0, "backend": "none"}
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"name": "sandbox_doctor", "figures": figures}


def test_the_services_of_the_installation_are_among_what_is_protected(settings):
    settings.REDIS_URL = "redis://127.0.0.1:6390/0"
    settings.DATABASES["default"] = {**settings.DATABASES["default"], "HOST": "/run/postgres", "PORT": ""}

    assert sandbox_doctor.local_services() == (["/run/postgres/.s.PGSQL.5432"], [6390])

    settings.REDIS_URL = "unix:///run/redis.sock?db=0"
    settings.DATABASES["default"] = {**settings.DATABASES["default"], "HOST": "db.example.org"}

    assert sandbox_doctor.local_services() == (["/run/redis.sock"], [])
