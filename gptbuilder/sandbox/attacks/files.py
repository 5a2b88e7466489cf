"""Reading and writing what is the host's: files, folders, devices, the kernel's views of itself, the environment."""

import fcntl
import os
import stat
import sys
import termios
from pathlib import Path

from gptbuilder.sandbox import _kernel
from gptbuilder.sandbox.attacks import Got, Inputs, World, attempt

_KNOWN_FILES = ("/etc/passwd", "/etc/shadow", "/etc/hostname", "/etc/resolv.conf", "/etc/machine-id", "/var/log/wtmp")
_KNOWN_FOLDERS = ("/home", "/root", "/etc", "/var", "/tmp", "/run", "/srv", "/opt")  # noqa: S108
_OF_THE_KERNEL = (
    "/proc/self/status", "/proc/self/maps", "/proc/self/mem", "/proc/1/cmdline", "/proc/cpuinfo", "/proc/net/tcp",
    "/proc/sys/kernel/core_pattern", "/proc/kallsyms", "/proc/mounts", "/sys/class/net", "/sys/kernel/security",
)  # fmt: skip
_DEVICES = ("/dev/mem", "/dev/kmsg", "/dev/kvm", "/dev/fuse", "/dev/tty", "/dev/ptmx", "/dev/vda", "/dev/shm")  # noqa: S108
_FS_IOC_SETFLAGS = 0x40086602
_MOST_DESCRIPTORS = 1024


def read_host_files(inputs: Inputs, world: World) -> Got:
    paths = [world["file"], *_KNOWN_FILES, f"{world['root']}/manage.py", f"{world['root']}/.git/HEAD"]
    return [path for path in paths if attempt(path, Path(path).read_bytes)]


def list_host_folders(inputs: Inputs, world: World) -> Got:
    """A folder that leads to the interpreter may be seen, with that one way in it."""
    shown = [f"{folder}/{name}" for folder in _KNOWN_FOLDERS for name in _listed(folder)]
    return [path for path in shown if not _leads_to_libraries(path)] + _listed(world["folder"])


def read_environment(inputs: Inputs, world: World) -> Got:
    found = [name for name, value in os.environ.items() if world["secret"] in value]
    for process in ("self", "1", str(os.getppid()), str(world["process"])):
        found += attempt(process, Path(f"/proc/{process}/environ").read_bytes)
    return found


def read_kernel_views(inputs: Inputs, world: World) -> Got:
    return [path for path in _OF_THE_KERNEL if attempt(path, os.open, path, os.O_RDONLY)]


def open_devices(inputs: Inputs, world: World) -> Got:
    opened = [path for path in _DEVICES if attempt(path, os.open, path, os.O_RDONLY)]
    for folder in _writable_places(world):
        device = f"{folder}/device"
        opened += attempt(f"mknod in {folder}", os.mknod, device, 0o600 | stat.S_IFBLK, 0x0801)
    return opened


def write_host_files(inputs: Inputs, world: World) -> Got:
    """Make a file, change one, remove one, and set the mode of one: what Landlock does not look at, too."""
    done = []
    for folder in (world["folder"], world["root"], os.path.dirname(__file__), "/", "/etc", "/dev/shm", "/var/tmp"):  # noqa: S108
        done += attempt(f"make in {folder}", Path(folder, "left-behind").write_bytes, b"x")
    for path in (world["file"], __file__):
        done += attempt(f"append to {path}", os.open, path, os.O_WRONLY | os.O_APPEND)
        done += attempt(f"truncate {path}", os.truncate, path, 0)
        done += attempt(f"chmod {path}", os.chmod, path, 0o666)
        done += attempt(f"chown {path}", os.chown, path, os.getuid(), os.getgid())
        done += attempt(f"utime {path}", os.utime, path)
        done += attempt(f"setxattr {path}", os.setxattr, path, "user.x", b"x")
        done += attempt(f"unlink {path}", os.unlink, path)
    return done


def change_an_input(inputs: Inputs, world: World) -> Got:
    """An input is open for reading, and the job's outer id may own the file."""
    number = inputs["file"].fileno()
    return [
        *attempt("write", os.write, number, b"x"),
        *attempt("ftruncate", os.ftruncate, number, 0),
        *attempt("fchmod", os.fchmod, number, 0o777),
        *attempt("fchown", os.fchown, number, os.getuid(), os.getgid()),
        *attempt("futimens", os.utime, number),
        *attempt("fsetxattr", os.setxattr, number, "user.x", b"x"),
        *attempt("flock", fcntl.flock, number, fcntl.LOCK_EX),
        *attempt("lockf", fcntl.lockf, number, fcntl.LOCK_SH),
        *attempt("open again", os.open, f"/proc/self/fd/{number}", os.O_RDWR),
        *attempt("flags", fcntl.ioctl, number, _FS_IOC_SETFLAGS, bytes(8)),
    ]


def follow_links_out(inputs: Inputs, world: World) -> Got:
    """By symbolic and hard links made inside, by `..`, and by changing the root."""
    got = []
    for folder in _writable_places(world):
        link = f"{folder}/link"
        got += attempt("symlink", _read_through, link, world["file"])
        got += attempt("hard link", os.link, world["file"], f"{link}-hard")
        got += attempt("..", Path(folder + "/.." * 20 + world["file"]).read_bytes)
    got += attempt("chroot", os.chroot, "/")
    return got


def use_open_descriptors(inputs: Inputs, world: World) -> Got:
    """Whatever is open beyond the standard three, the channel and the input came along by mistake."""
    expected = {0, 1, 2, 3, *(file.fileno() for file in inputs.values())}
    numbers = set(range(_MOST_DESCRIPTORS)) - expected
    return [str(number) for number in sorted(numbers) if attempt("", os.fstat, number)]


def type_into_the_terminal(inputs: Inputs, world: World) -> Got:
    got = []
    for number in (0, 1, 2, 3):
        got += attempt(f"TIOCSTI {number}", fcntl.ioctl, number, termios.TIOCSTI, b"x")
        got += attempt(f"TIOCSCTTY {number}", fcntl.ioctl, number, termios.TIOCSCTTY, 0)
    return got + attempt("/dev/tty", os.open, "/dev/tty", os.O_RDWR)


def open_by_handle(inputs: Inputs, world: World) -> Got:
    """A file's handle opens it past every folder: how containers were left once."""
    name, by_handle = (303, 304) if os.uname().machine == "x86_64" else (264, 265)
    got = []
    for label, number in (("name_to_handle_at", name), ("open_by_handle_at", by_handle)):
        got += attempt(label, _kernel.syscall, number, -100, b"/\0", bytes(136), bytes(4), 0)
    return got


def _read_through(link: str, target: str) -> bytes:
    os.symlink(target, link)
    return Path(link).read_bytes()


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _leads_to_libraries(path: str) -> bool:
    shown = [*_python_folders(), "/etc/ld.so.cache"]
    return any(each == path or each.startswith(path + "/") or path.startswith(each + "/") for each in shown)


def _python_folders() -> list[str]:
    return [each for each in (*sys.path, os.path.dirname(os.path.dirname(__file__)), sys.base_prefix) if each]


def _writable_places(world: World) -> list[str]:
    return [os.environ.get("TMPDIR", "/scratch"), world["folder"], "/tmp"]  # noqa: S108
