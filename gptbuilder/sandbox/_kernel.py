"""Calls to the Linux kernel for which Python 3.11 has no function. Each raises OSError."""

import ctypes
import fcntl
import os
import platform
import struct
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2
MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38

_SYS_MOUNT_SETATTR = 442
_SYS_PIVOT_ROOT, _SYS_CAPSET, _SYS_SECCOMP = (155, 126, 317) if platform.machine() == "x86_64" else (41, 91, 277)
_SET_MODE_FILTER, _NEW_LISTENER = 1, 8
_RECEIVE_ASKED, _SEND_ANSWER, _ASKED_BYTES, _CONTINUE = 0xC0502100, 0xC0182101, 80, 1
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """Integers and buffers, as the kernel's manual lists them."""
    given = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *given))


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags))


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    kind_bytes = None if kind is None else kind.encode()
    _checked(
        _libc.mount(os.fsencode(source), os.fsencode(target), kind_bytes, ctypes.c_ulong(flags), options.encode()),
        target,
    )


def restrict_mount(target: str, attributes: int) -> None:
    """Add attributes to a mount and all below it; what it has already stays."""
    request = struct.pack("=QQQQ", attributes, 0, 0, 0)
    syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(target), _AT_RECURSIVE, request, len(request))


def make_root(folder: str) -> None:
    """Make the mount at `folder` the root, and let go of the old one."""
    os.chdir(folder)
    syscall(_SYS_PIVOT_ROOT, b".", b".")
    _checked(_libc.umount2(b".", MNT_DETACH))
    os.chdir("/")


def prctl(option: int, value: int) -> None:
    nothing = ctypes.c_ulong(0)
    _checked(_libc.prctl(option, ctypes.c_ulong(value), nothing, nothing, nothing))


def install_filter(program: bytes) -> None:
    """Load a seccomp filter, for good. Needs PR_SET_NO_NEW_PRIVS before."""
    _install(program, 0)


def install_asking_filter(program: bytes) -> int:
    """The same; returns the descriptor on which the calls to decide about arrive (`allow_one`)."""
    return _install(program, _NEW_LISTENER)


def allow_one(listener: int) -> None:
    """Wait for a held call and let it pass. When the listener is closed, held calls fail."""
    asked = bytearray(_ASKED_BYTES)
    fcntl.ioctl(listener, _RECEIVE_ASKED, asked)
    fcntl.ioctl(listener, _SEND_ANSWER, struct.pack("=QqiI", int.from_bytes(asked[:8], sys.byteorder), 0, 0, _CONTINUE))


def _install(program: bytes, flags: int) -> int:
    code = ctypes.create_string_buffer(program, len(program))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
    return syscall(_SYS_SECCOMP, _SET_MODE_FILTER, flags, head)


def drop_capabilities() -> None:
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    syscall(_SYS_CAPSET, ctypes.create_string_buffer(header, 8), bytes(24))


def _checked(result: int, name: str | None = None) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return result
