"""Run a command of this project under an id that owns nothing, also where root alone may enter Python's folder.

`python -m tests.sandbox.plain_user COMMAND…`, as root. It makes the folders on the way to Python and to the project
enterable in a mount namespace of its own; nobody else sees that.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from gptbuilder.sandbox import _kernel

ROOT = Path(__file__).parents[2]
PLAIN_ID = 58_599
NEEDED = (ROOT, Path(sys.base_prefix))


def run_as_plain_user(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`python ARGUMENTS` as somebody who is not root; a person who runs the tests is that already."""
    as_root = os.geteuid() == 0
    command = [sys.executable, "-B", *(["-m", "tests.sandbox.plain_user"] if as_root else []), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)


def main(arguments: list[str]) -> None:
    _kernel.unshare(_kernel.CLONE_NEWNS)
    _kernel.mount("none", "/", None, _kernel.MS_REC | _kernel.MS_PRIVATE)
    for folder in {closed for path in NEEDED if (closed := closed_folder(path))}:
        open_up(folder)
    os.setgroups([])
    os.setresgid(PLAIN_ID, PLAIN_ID, PLAIN_ID)
    os.setresuid(PLAIN_ID, PLAIN_ID, PLAIN_ID)
    os.execv(sys.executable, [sys.executable, "-B", *arguments])


def closed_folder(path: Path) -> Path | None:
    """The outermost folder on the way that others may not enter."""
    return next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001), None)


def open_up(folder: Path) -> None:
    """Put an empty one in its place, with nothing in it but the way to what is needed."""
    inside = [path for path in NEEDED if path.is_relative_to(folder)]
    kept = [(path, os.open(path, os.O_PATH)) for path in inside]
    _kernel.mount("none", str(folder), "tmpfs", 0, "mode=755")
    for path, descriptor in kept:
        path.mkdir(mode=0o755, parents=True)
        _kernel.mount(f"/proc/self/fd/{descriptor}", str(path), None, _kernel.MS_BIND | _kernel.MS_REC)
        os.close(descriptor)


if __name__ == "__main__":
    main(sys.argv[1:])
