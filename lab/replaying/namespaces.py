"""Network namespaces entered for as long as it takes to open a socket, which stays where it was opened (setns(2))."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import PrerequisiteError

NAMED = Path("/run/netns")  # where ip netns binds them
_CLONE_NEWNET = 0x40000000


@contextmanager
def within(namespace: str) -> Iterator[None]:
    """This thread in the named network namespace; "" leaves it where it is. PrerequisiteError if it cannot go there."""
    if not namespace:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _enter(NAMED / namespace)
        try:
            yield
        finally:
            _set(home)
    finally:
        os.close(home)


def _enter(path: Path) -> None:
    try:
        there = os.open(path, os.O_RDONLY)
    except OSError as fault:
        raise PrerequisiteError(f"namespace {path.name}: {fault.strerror}; ip netns list shows what there is") from None
    try:
        _set(there)
    except OSError as fault:
        raise PrerequisiteError(f"namespace {path.name}: {fault.strerror}; run it as root (sudo)") from None
    finally:
        os.close(there)


def _set(handle: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(handle, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
