"""The system calls a caged process may make, as a seccomp filter: a list of what is allowed, nothing else passes.

What is not here on purpose, though it looks harmless: `chmod`, `chown`, `utime`, `setxattr` (Landlock does not look at
them, and an input's descriptor would be enough), locks (they stop the host), `memfd_create` and System V memory (not
counted by RLIMIT_AS), `pipe`, `socketpair` (buffers of the kernel), most of `prctl` (would unset the death signal).
"""

import errno
import platform
import struct
from collections.abc import Iterator

# x86-64 and aarch64; None where the machine has no such call.
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    # Open files.
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "lseek": (8, 62), "pread64": (17, 67), "pwrite64": (18, 68),
    "readv": (19, 65), "writev": (20, 66), "preadv": (295, 69), "pwritev": (296, 70), "dup": (32, 23),
    "dup2": (33, None), "dup3": (292, 24), "close_range": (436, 436), "fstat": (5, 80), "fstatfs": (138, 44),
    "ftruncate": (77, 46), "fsync": (74, 82), "fdatasync": (75, 83), "fadvise64": (221, 223), "readahead": (187, 213),
    "sendfile": (40, 71), "copy_file_range": (326, 285), "poll": (7, None), "ppoll": (271, 73), "select": (23, None),
    "pselect6": (270, 72),
    # Names of files.
    "open": (2, None), "openat": (257, 56), "stat": (4, None), "lstat": (6, None), "newfstatat": (262, 79),
    "statx": (332, 291), "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439),
    "readlink": (89, None), "readlinkat": (267, 78), "getdents64": (217, 61), "getcwd": (79, 17), "chdir": (80, 49),
    "fchdir": (81, 50), "statfs": (137, 43), "umask": (95, 166), "mkdir": (83, None), "mkdirat": (258, 34),
    "rmdir": (84, None), "unlink": (87, None), "unlinkat": (263, 35), "rename": (82, None), "renameat": (264, 38),
    "renameat2": (316, 276), "symlink": (88, None), "symlinkat": (266, 36), "link": (86, None), "linkat": (265, 37),
    # Memory.
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216),
    "madvise": (28, 233), "msync": (26, 227), "mincore": (27, 232), "membarrier": (324, 283),
    # Oneself.
    "getpid": (39, 172), "gettid": (186, 178), "getppid": (110, 173), "getuid": (102, 174), "geteuid": (107, 175),
    "getgid": (104, 176), "getegid": (108, 177), "getgroups": (115, 158), "getresuid": (118, 148),
    "getresgid": (120, 150), "getpgid": (121, 155), "getpgrp": (111, None), "getsid": (124, 156), "uname": (63, 160),
    "sysinfo": (99, 179), "times": (100, 153), "getrusage": (98, 165), "getrlimit": (97, 163),
    "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "getcpu": (309, 168), "getrandom": (318, 278),
    "arch_prctl": (158, None), "set_tid_address": (218, 96), "set_robust_list": (273, 99), "rseq": (334, 293),
    "futex": (202, 98), "wait4": (61, 260), "waitid": (247, 95), "exit": (60, 93), "exit_group": (231, 94),
    "restart_syscall": (219, 128),
    # Signals and time.
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136),
    "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133), "sigaltstack": (131, 132), "pause": (34, None),
    "alarm": (37, None), "setitimer": (38, 103), "getitimer": (36, 102), "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "gettimeofday": (96, 169), "time": (201, None),
}  # fmt: skip
IOCTL, FCNTL, PRCTL, PRLIMIT, TGKILL, KILL, EXECVE, CLONE3 = (
    (16, 72, 157, 302, 234, 62, 59, 435) if platform.machine() == "x86_64" else (29, 25, 167, 261, 131, 129, 221, 435)
)
# Is it a terminal, how much is there to read, close on exec; never TIOCSTI or a file's flags.
IOCTLS = (0x5401, 0x541B, 0x5450, 0x5451)
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC; neither owners (they get signals) nor locks.
FCNTLS = (0, 1, 2, 3, 4, 1030)
# PR_SET_NAME, PR_GET_NAME, PR_SET_VMA: names of threads and of memory.
PRCTLS = (15, 16, 0x53564D41)
# Programs ask for calls of newer kernels and go on without them, but only when told so by this error.
NEWER_THAN = 450

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
_LOAD, _EQUAL, _AT_LEAST, _GREATER, _RETURN = 0x20, 0x15, 0x35, 0x25, 0x06
_ALLOW, _ASK, _KILL, _ERROR = 0x7FFF0000, 0x7FC00000, 0x80000000, 0x00050000


def supported() -> bool:
    return platform.machine() in _AUDIT_ARCH


def program(own_id: int, *, may_execute: bool) -> bytes:
    """The filter for the process `own_id`, as the kernel wants it: signals to itself are all it may send."""
    return b"".join(_instructions(own_id, may_execute))


def asking_to_execute() -> bytes:
    """A filter that lets everything pass and holds `execve` until somebody outside has said yes."""
    return b"".join((_op(_LOAD, _NUMBER), *_on(EXECVE, _ASK), _op(_RETURN, _ALLOW)))


def _instructions(own_id: int, may_execute: bool) -> Iterator[bytes]:
    machine = platform.machine()
    yield _op(_LOAD, _ARCH)
    yield _op(_EQUAL, _AUDIT_ARCH[machine], 1, 0)
    yield _op(_RETURN, _KILL)
    yield _op(_LOAD, _NUMBER)
    if machine == "x86_64":
        yield _op(_AT_LEAST, _X32, 0, 1)
        yield _op(_RETURN, _KILL)
    for x86, arm in ALLOWED.values():
        number = x86 if machine == "x86_64" else arm
        if number is not None:
            yield from _on(number, _ALLOW)
    if may_execute:
        yield from _on(EXECVE, _ALLOW)
    yield from _when(IOCTL, 1, IOCTLS)
    yield from _when(FCNTL, 1, FCNTLS)
    yield from _when(PRCTL, 0, PRCTLS)
    yield from _when(PRLIMIT, 0, (0, own_id))
    yield from _when(TGKILL, 0, (own_id,))
    yield from _when(KILL, 0, (own_id,))
    yield from _on(CLONE3, _ERROR | errno.ENOSYS)
    yield _op(_GREATER, NEWER_THAN, 0, 1)
    yield _op(_RETURN, _ERROR | errno.ENOSYS)
    yield _op(_RETURN, _ERROR | errno.EPERM)


def _on(number: int, verdict: int) -> Iterator[bytes]:
    yield _op(_EQUAL, number, 0, 1)
    yield _op(_RETURN, verdict)


def _when(number: int, argument: int, values: tuple[int, ...]) -> Iterator[bytes]:
    """Allow the call if the low half of an argument is one of the values: these are integers to the kernel."""
    yield _op(_EQUAL, number, 0, 2 + 2 * len(values))
    yield _op(_LOAD, _ARGUMENTS + 8 * argument)
    for value in values:
        yield from _on(value, _ALLOW)
    yield _op(_RETURN, _ERROR | errno.EPERM)


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
