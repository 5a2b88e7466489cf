"""What of the host's file system exists in the cage: Python, its packages, ours, the system's libraries, read-only."""

import os
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gptbuilder.sandbox import _kernel

# One's own files go here: a small disk in memory, made anew for each job.
SCRATCH = "/scratch"
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
_LIBRARIES = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/etc/ld.so.cache")
_BUILDING_SITE = "/tmp"  # noqa: S108, hidden by a mount that only this process sees
_ROOT_OPTIONS = "size=4m,nr_inodes=10k,mode=755"


def readable(package: str, programs: Mapping[str, Sequence[str]]) -> list[str]:
    """The paths to show; none lies in another one. `package` is our own folder, not the one it lies in."""
    others = list(sys.path)
    # It is there once for us alone; if it is there twice, other packages are in it.
    others.remove(os.path.dirname(package))
    asked = [package, *others, *_LIBRARIES, str(sysconfig.get_config_var("LIBDIR") or "")]
    for program, more in programs.items():
        asked += [program, *more]
    existing = sorted({os.path.abspath(path) for path in asked if path and os.path.exists(path)})
    return [path for path in existing if not _within(path, existing)]


def build(paths: Iterable[str]) -> None:
    """Make these paths, under their own names, the whole file system of this process and its children.

    Needs CAP_SYS_ADMIN over a mount namespace of its own. A path below a folder that only root may enter can be
    entered here, since the folders on the way to it are new.
    """
    _kernel.mount("none", "/", None, _kernel.MS_REC | _kernel.MS_PRIVATE)
    # Opened first: what is mounted next may hide them.
    opened = [(path, os.open(path, os.O_PATH)) for path in (*paths, *DEVICES)]
    _kernel.mount("cage", _BUILDING_SITE, "tmpfs", _kernel.MS_NOSUID | _kernel.MS_NODEV, _ROOT_OPTIONS)
    for path, descriptor in opened:
        _show(path, descriptor)
        os.close(descriptor)
    Path(_BUILDING_SITE + SCRATCH).mkdir()
    _kernel.make_root(_BUILDING_SITE)
    _kernel.restrict_mount("/", _kernel.MOUNT_ATTR_RDONLY | _kernel.MOUNT_ATTR_NOSUID)


def add_scratch(size_bytes: int, files: int) -> None:
    """A disk for one job, in the mount namespace of that job."""
    options = f"size={size_bytes},nr_inodes={files},mode=700"
    _kernel.mount("scratch", SCRATCH, "tmpfs", _kernel.MS_NOSUID | _kernel.MS_NODEV | _kernel.MS_NOEXEC, options)


def _show(path: str, descriptor: int) -> None:
    place = Path(_BUILDING_SITE + path)
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    source = f"/proc/self/fd/{descriptor}"
    if os.path.isdir(source):
        place.mkdir(mode=0o755)
    else:
        place.touch(mode=0o644)
    _kernel.mount(source, str(place), None, _kernel.MS_BIND | _kernel.MS_REC)
    if path not in DEVICES:
        _kernel.restrict_mount(str(place), _kernel.MOUNT_ATTR_NODEV)


def _within(path: str, others: Iterable[str]) -> bool:
    return any(path.startswith(other.rstrip("/") + "/") for other in others)
