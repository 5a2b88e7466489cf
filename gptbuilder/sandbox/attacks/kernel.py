"""Calls that reach deep into the kernel, and the back doors to them: every one must be refused before it gets there."""

import ctypes
import errno
import mmap
import os
from collections.abc import Mapping

from gptbuilder.sandbox import _kernel
from gptbuilder.sandbox.attacks import Got, Inputs, World

_X86 = os.uname().machine == "x86_64"
# x86-64, aarch64.
_MOUNTS = {
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsmount": (432, 432), "mount_setattr": (442, 442),
}  # fmt: skip
_NAMESPACES = {"unshare": (272, 97), "setns": (308, 268)}
_MACHINE = {
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225),
    "iopl": (172, None), "ioperm": (173, None), "acct": (163, 89), "syslog": (103, 116), "quotactl": (179, 60),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "sethostname": (170, 161), "setdomainname": (171, 162), "vhangup": (153, 58), "personality": (135, 92),
    "modify_ldt": (154, None), "move_pages": (279, 239), "migrate_pages": (256, 238), "mbind": (237, 235),
    "lookup_dcookie": (212, 18), "nfsservctl": (180, 42),
}  # fmt: skip
_KEYS = {"add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219)}
_WATCHING = {
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "fanotify_init": (300, 262),
    "inotify_init1": (294, 26), "seccomp": (317, 277), "landlock_create_ruleset": (444, 444),
}  # fmt: skip
_RINGS = {
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "io_setup": (206, 0), "io_submit": (209, 2),
}  # fmt: skip
_UNCOUNTED_MEMORY = {
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180), "mlock": (149, 228), "mlockall": (151, 230),
    "remap_file_pages": (216, 234),
}  # fmt: skip
_KERNEL_BUFFERS = {
    "pipe2": (293, 59), "socketpair": (53, 199), "epoll_create1": (291, 20), "eventfd2": (290, 19),
    "signalfd4": (289, 74), "timerfd_create": (283, 85), "timer_create": (222, 107), "splice": (275, 76),
    "vmsplice": (278, 75), "tee": (276, 77),
}  # fmt: skip
_RETURN_20_BY_INT80 = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"
_X32_GETPID = 0x40000000 | 39


def change_mounts(inputs: Inputs, world: World) -> Got:
    return _reached(_MOUNTS)


def change_namespaces(inputs: Inputs, world: World) -> Got:
    return _reached(_NAMESPACES)


def command_the_machine(inputs: Inputs, world: World) -> Got:
    return _reached(_MACHINE)


def use_key_rings(inputs: Inputs, world: World) -> Got:
    return _reached(_KEYS)


def watch_the_kernel(inputs: Inputs, world: World) -> Got:
    return _reached(_WATCHING)


def use_rings(inputs: Inputs, world: World) -> Got:
    return _reached(_RINGS)


def hide_memory(inputs: Inputs, world: World) -> Got:
    return _reached(_UNCOUNTED_MEMORY)


def fill_kernel_buffers(inputs: Inputs, world: World) -> Got:
    return _reached(_KERNEL_BUFFERS)


def call_as_32_bit(inputs: Inputs, world: World) -> Got:
    """`int 0x80` has other numbers for the same calls; its getpid is 20, x86-64's 20 is writev."""
    if not _X86:
        return []
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(_RETURN_20_BY_INT80)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    answer = ctypes.CFUNCTYPE(ctypes.c_long)(address)()
    return ["int 0x80"] if answer > 0 else []


def call_as_x32(inputs: Inputs, world: World) -> Got:
    """A bit in the number chooses a third table."""
    if not _X86:
        return []
    try:
        _kernel.syscall(_X32_GETPID)
    except OSError as error:
        return ["x32 (the machine itself refused)"] if error.errno == errno.ENOSYS else []
    return ["x32"]


def _reached(calls: Mapping[str, tuple[int, int | None]]) -> Got:
    """All arguments are 0: a call that the kernel looks at does nothing, or complains about them."""
    return [name for name, numbers in calls.items() if _passes(numbers[0] if _X86 else numbers[1])]


def _passes(number: int | None) -> bool:
    if number is None:
        return False
    try:
        _kernel.syscall(number, 0, 0, 0, 0, 0, 0)
    except OSError as error:
        return error.errno not in (errno.EPERM, errno.ENOSYS)
    return True
