"""Processes as others see them through the store: their names, whether they live, the clock they share."""

from __future__ import annotations

import functools
import hashlib
import os
import socket
from pathlib import Path


def this_process() -> str:
    """The name of this process, which `is_gone` understands; more may be added after a space."""
    return f"{_place()} process {os.getpid()}"


def is_gone(name: str) -> bool:
    """Whether a process ran here and no longer does. False where that cannot be told."""
    place, _, rest = name.partition(" process ")
    number = rest.partition(" ")[0]
    if place != _place() or not number.isdecimal() or not Path("/proc/self").exists():
        return False
    return not Path("/proc", number).exists()


@functools.cache
def monotonic_clock() -> str:
    """A name for what ``time.monotonic`` goes by: processes with the same name read the same clock."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        return _host()
    return f"{_host()}-{hashlib.sha256(boot + _namespace('time')).hexdigest()[:8]}"


@functools.cache
def _place() -> str:
    """Where process numbers mean the same: the host and, on Linux, this start of it and its container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        return _host()
    return f"{_host()}-{hashlib.sha256(boot + _namespace('pid')).hexdigest()[:8]}"


def _host() -> str:
    return socket.gethostname()[:20]


def _namespace(kind: str) -> bytes:
    try:
        return str(Path("/proc/self/ns", kind).readlink()).encode()
    except OSError:
        return b""
