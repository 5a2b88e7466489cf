"""Making processes, and reaching other ones: signals, memory, descriptors, limits, sockets."""

import fcntl
import os
import resource
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable

from gptbuilder.sandbox import _kernel
from gptbuilder.sandbox.attacks import Got, Inputs, World, attempt

_X86 = os.uname().machine == "x86_64"
_CLONE, _VFORK, _CLONE3, _CAPSET = (56, 58, 435, 126) if _X86 else (220, None, 435, 91)
_PTRACE, _VM_READ, _VM_WRITE, _KCMP = (101, 310, 311, 312) if _X86 else (117, 270, 271, 272)
_SIGQUEUE, _TKILL, _PIDFD_SEND, _PIDFD_OPEN, _PIDFD_GETFD, _MADVISE = (
    (129, 200, 424, 434, 438, 440) if _X86 else (138, 130, 424, 434, 438, 440)
)
# Of the eight fields only the signal at its end.
_CLONE3_ARGUMENTS = (0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
_PTRACE_ATTACH, _PTRACE_SEIZE = 16, 0x4206
_FAMILIES = range(46)
_F_SETSIG, _F_SETOWN = 10, 8


def fork_bomb(inputs: Inputs, world: World) -> Got:
    got = attempt("fork", _and_end, os.fork)
    return got + attempt("posix_spawn", os.posix_spawn, sys.executable or "/bin/sh", ["x"], {})


def fork_by_raw_calls(inputs: Inputs, world: World) -> Got:
    """Past the C library, which asks in one way only."""
    got = attempt("clone", _and_end, _kernel.syscall, _CLONE, signal.SIGCHLD, 0, 0)
    if _VFORK is not None:
        got += attempt("vfork", _and_end, _kernel.syscall, _VFORK)
    return got + attempt("clone3", _and_end, _kernel.syscall, _CLONE3, struct.pack("=QQQQQQQQ", *_CLONE3_ARGUMENTS), 64)


def start_threads(inputs: Inputs, world: World) -> Got:
    return attempt("thread", threading.Thread(target=int).start)


def execute_programs(inputs: Inputs, world: World) -> Got:
    """Whoever succeeds is gone: the answer is then the other program's, or none."""
    for path in ("/bin/sh", "/usr/bin/env", "/usr/bin/id", sys.executable, "/lib64/ld-linux-x86-64.so.2"):
        attempt(path, os.execve, path, [path, "-c", "print('[\"executed\"]')"], {})
    return []


def open_sockets(inputs: Inputs, world: World) -> Got:
    got = []
    for family in _FAMILIES:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            got += attempt(f"family {family}", socket.socket, family, kind)
    return got + attempt("socketpair", socket.socketpair)


def reach_local_services(inputs: Inputs, world: World) -> Got:
    """The databases' sockets by path, abstract ones by name, and ports of this machine."""
    got = []
    for path in world["sockets"]:
        got += attempt(path, _connect, path.replace("@", "\0", 1) if path.startswith("@") else path)
    for port in world["ports"]:
        got += attempt(f"127.0.0.1:{port}", socket.create_connection, ("127.0.0.1", port), 1)
        got += attempt(f"[::1]:{port}", socket.create_connection, ("::1", port), 1)
    return got


def send_signals(inputs: Inputs, world: World) -> Got:
    got = []
    for victim in _victims(world):
        got += attempt(f"kill {victim}", os.kill, victim, signal.SIGUSR1)
        got += _reached(f"tkill {victim}", _TKILL, victim, signal.SIGUSR1)
        got += _reached(f"tgkill {victim}", 234 if _X86 else 131, victim, victim, signal.SIGUSR1)
        got += _reached(f"rt_sigqueueinfo {victim}", _SIGQUEUE, victim, signal.SIGUSR1, bytes(128))
        got += _reached(f"pidfd_send_signal {victim}", _PIDFD_SEND, victim, signal.SIGUSR1, 0, 0)
        got += attempt(f"F_SETOWN {victim}", fcntl.fcntl, 0, _F_SETOWN, victim)
    got += attempt("F_SETSIG", fcntl.fcntl, 0, _F_SETSIG, signal.SIGKILL)
    return got + attempt("everybody", os.kill, -1, signal.SIGUSR1)


def trace_processes(inputs: Inputs, world: World) -> Got:
    got = _reached("PTRACE_TRACEME", _PTRACE, 0, 0, 0, 0)
    for victim in _victims(world):
        got += _reached(f"PTRACE_ATTACH {victim}", _PTRACE, _PTRACE_ATTACH, victim, 0, 0)
        got += _reached(f"PTRACE_SEIZE {victim}", _PTRACE, _PTRACE_SEIZE, victim, 0, 0)
    return got


def read_other_memory(inputs: Inputs, world: World) -> Got:
    got = []
    for victim in _victims(world):
        got += _reached(f"process_vm_readv {victim}", _VM_READ, victim, bytes(16), 1, bytes(16), 1, 0)
        got += _reached(f"process_vm_writev {victim}", _VM_WRITE, victim, bytes(16), 1, bytes(16), 1, 0)
        got += _reached(f"kcmp {victim}", _KCMP, victim, victim, 0, 0, 0)
        got += _reached(f"process_madvise {victim}", _MADVISE, victim, bytes(16), 1, 4, 0)
        got += attempt(f"/proc/{victim}/mem", os.open, f"/proc/{victim}/mem", os.O_RDONLY)
    return got


def take_descriptors(inputs: Inputs, world: World) -> Got:
    """Of the fork server, the warden, the host: through /proc, a pidfd, or as a message on the channel."""
    got = []
    for victim in _victims(world):
        got += _reached(f"pidfd_open {victim}", _PIDFD_OPEN, victim, 0)
        got += _reached(f"pidfd_getfd {victim}", _PIDFD_GETFD, victim, 0, 0)
        got += attempt(f"/proc/{victim}/fd", os.listdir, f"/proc/{victim}/fd")
    for name, number in (("recvmsg", 47 if _X86 else 212), ("sendmsg", 46 if _X86 else 211)):
        got += _reached(name, number, 3, bytes(56), 0)
    return got


def change_limits(inputs: Inputs, world: World) -> Got:
    """Raise one's own, lower those of others."""
    got = []
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE):
        _, hard = resource.getrlimit(limit)
        more = (hard + 1, hard + 1)
        got += attempt(f"raise {limit}", resource.setrlimit, limit, more)
    for victim in _victims(world):
        got += attempt(f"lower {victim}", resource.prlimit, victim, resource.RLIMIT_CORE, (0, 0))
        got += attempt(f"nice {victim}", os.setpriority, os.PRIO_PROCESS, victim, 19)
        got += attempt(f"affinity {victim}", os.sched_setaffinity, victim, {0})
    return got


def undo_restraints(inputs: Inputs, world: World) -> Got:
    """Outlive the warden, leave the filter, become readable: prctl does much."""
    options = {"PR_SET_PDEATHSIG": 1, "PR_SET_DUMPABLE": 4, "PR_SET_SECCOMP": 22, "PR_SET_PTRACER": 0x59616D61}
    got = [name for name, option in options.items() if attempt(name, _kernel.prctl, option, 0)]
    return got + attempt("setsid", os.setsid) + attempt("setpgid", os.setpgid, 0, 0)


def become_somebody(inputs: Inputs, world: World) -> Got:
    got = ["root already"] if 0 in (os.getuid(), os.geteuid(), os.getgid(), os.getegid()) else []
    got += attempt("setuid", os.setuid, 0)
    got += attempt("setresuid", os.setresuid, 0, 0, 0)
    got += attempt("setresgid", os.setresgid, 0, 0, 0)
    got += attempt("setgroups", os.setgroups, [0])
    return got + attempt("capset", _kernel.syscall, _CAPSET, struct.pack("=Ii", 0x20080522, 0), b"\xff" * 24)


def _connect(address: str) -> None:
    socket.socket(socket.AF_UNIX).connect(address)


def _victims(world: World) -> list[int]:
    """The warden or whoever is there instead, the first process, and one of the host's."""
    return sorted({os.getppid(), 1, world["process"]} - {os.getpid(), 0})


def _reached(name: str, number: int, *arguments: int | bytes) -> Got:
    """The kernel's own refusals (no such process, bad address) mean that the call got to it."""
    try:
        _kernel.syscall(number, *arguments)
    except (PermissionError, NotImplementedError):
        return []
    except OSError as error:
        return [] if error.errno == 38 else [f"{name} ({error.strerror})"]
    return [name]


def _and_end(make: Callable[..., int], *arguments: int | bytes) -> None:
    """A child that does come into being must not go on as a second job."""
    if make(*arguments) == 0:
        os._exit(0)
