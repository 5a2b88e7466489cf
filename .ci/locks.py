"""The lock files: `write` makes them from pyproject.toml, `check` says whether they are of its present dependencies.

A check by resolving anew would need the registry and would fail whenever anything is released, so the locks carry the
digest of what they were made from.
"""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = ROOT / ".venv" / "bin" / "uv"
FLAGS = ["-q", "--universal", "--generate-hashes", "--no-header", "--no-annotate"]
GROUPS = {"requirements.lock": [], "requirements-dev.lock": ["--group", "dev", "--constraint", "requirements.lock"]}


def main(order: str) -> int:
    if order == "write":
        for name, options in GROUPS.items():
            write(ROOT / name, options)
    stale = [name for name in GROUPS if not (ROOT / name).read_text().startswith(header())]
    if stale:
        sys.stdout.write(f"{' and '.join(stale)} were not made from the present pyproject.toml: run `make lock`.\n")
    return 1 if stale else 0


def write(path: Path, options: list[str]) -> None:
    """Keep the pinned versions that still fit; only new requirements are resolved."""
    command = [UV, "pip", "compile", *FLAGS, *options, "pyproject.toml", "-o", path]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "VIRTUAL_ENV": str(ROOT / ".venv")}, check=True)
    path.write_text(header() + path.read_text().removeprefix(header()))


def header() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [project["project"]["requires-python"], project["project"]["dependencies"], project["dependency-groups"]]
    return f"# Made by `make lock` from dependencies sha256:{hashlib.sha256(json.dumps(wanted).encode()).hexdigest()}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
