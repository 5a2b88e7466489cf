"""Landlock: which files a process and what it starts may reach, whatever its user id may do."""

import ctypes
import os
import struct
from collections.abc import Iterable

from gptbuilder.sandbox import _kernel

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

EXECUTE = 1 << 0
READ = 1 << 2 | 1 << 3
READ_FILE = 1 << 2
# Write, read, remove, make folders, files and links; never devices, sockets or pipes.
CHANGE = 1 << 1 | READ | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 12
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_ALL_NETWORK = 0b11
_ALL_SCOPES = 0b11


def version() -> int:
    """Of the kernel's Landlock; 0 without."""
    try:
        return _kernel.syscall(_CREATE, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(rules: Iterable[tuple[str, int]]) -> None:
    """Nothing of the file system, and no port, from now on, but for (path, rights); missing paths are left out."""
    abi = version()
    files = (1 << 13) - 1 | (_REFER if abi >= 2 else 0) | (_TRUNCATE if abi >= 3 else 0) | (_IOCTL if abi >= 5 else 0)
    request = struct.pack("=QQQ", files, _ALL_NETWORK if abi >= 4 else 0, _ALL_SCOPES if abi >= 6 else 0)
    # An older kernel wants what it knows, not more.
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _kernel.syscall(_CREATE, ctypes.create_string_buffer(request[:size], size), size, 0)
    try:
        for path, rights in rules:
            _allow(ruleset, path, rights & files)
        _kernel.syscall(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            rights &= EXECUTE | READ_FILE | 1 << 1 | _TRUNCATE | _IOCTL
        rule = struct.pack("=Qi", rights, found)
        _kernel.syscall(_ADD, ruleset, _PATH_BENEATH, ctypes.create_string_buffer(rule, len(rule)), 0)
    finally:
        os.close(found)
