"""What a cell sees of the file system: the system, the interpreter, what it may read, its folder, a scratch folder.

All but the last two are read-only, and the package that makes scenarios is hidden among them. Imported by cell.py
inside the namespaces, so: the standard library only. Needs Linux 5.12 (mount_setattr). Sources: mount_namespaces(7),
pivot_root(2), mount_setattr(2).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any

BIND, REC, PRIVATE, DETACH = 0x1000, 0x4000, 0x40000, 2
NOSUID, NODEV, NOEXEC = 2, 4, 8
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4
MOUNT_SETATTR, RECURSIVE, HERE = 442, 0x8000, -100  # one number on all architectures
SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
SETTINGS = (
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "nsswitch.conf",
    "passwd",
    "group",
)
DEVICES = ("null", "zero", "full", "random", "urandom")
SCRATCH = "size=64m,mode=1777"  # held in memory, and in no process's limit

Call = Callable[..., None]


def build(order: dict[str, Any], call: Call) -> None:
    """Makes a root of its own for this mount namespace and enters it; OSError where the kernel does not let it."""
    mount(call, None, "/", None, REC | PRIVATE)
    mount(call, "tmpfs", "/tmp", "tmpfs", NOSUID | NODEV)  # noqa: S108 - a folder every system has, hidden at once
    os.mkdir("/tmp/old")  # noqa: PTH102, S108 - pathlib is slow to load
    os.mkdir("/tmp/new")  # noqa: PTH102, S108 - as above
    mount(call, "tmpfs", "/tmp/new", "tmpfs", NOSUID | NODEV, options="mode=755")  # noqa: S108 - as above
    call("pivot_root", b"/tmp", b"/tmp/old")
    os.chdir("/")
    system(call)
    places = dict.fromkeys(order["reads"], True) | {order["folder"]: False}
    for path in sorted(places, key=lambda path: path.count("/")):
        bind(call, path, closed=places[path])
    for path in order["hides"]:
        hide(call, path)
    processes(call, order["processes"])
    close(call, "/new", whole=False)
    os.chdir("/new")
    call("pivot_root", b".", b".")
    call("umount2", b".", DETACH)
    os.chdir("/")


def mount(call: Call, source: str | None, target: str, kind: str | None, flags: int, *, options: str = "") -> None:
    """Mounts one thing; OSError where it fails."""
    text = (None if one is None else os.fsencode(one) for one in (source, target, kind, options or None))
    first, second, third, fourth = text
    call("mount", first, second, third, ctypes.c_ulong(flags), fourth)


def close(call: Call, path: str, *, whole: bool = True, devices: bool = False) -> None:
    """Makes a mount, or it and all below it, read-only; and without devices unless they are wanted."""
    attributes = ATTR_RDONLY | ATTR_NOSUID | (0 if devices else ATTR_NODEV)
    wanted = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)
    flags = RECURSIVE if whole else 0
    call("syscall", ctypes.c_long(MOUNT_SETATTR), HERE, os.fsencode(path), flags, wanted, ctypes.c_size_t(32))


def bind(call: Call, path: str, *, closed: bool, devices: bool = False) -> None:
    """Shows a file or folder of the old root at the same place of the new one; nothing where there is none."""
    source, target = f"/old{path}", f"/new{path}"
    real = followed(path)
    if real is None:
        return
    if os.path.lexists(target) and os.path.islink(target):  # noqa: PTH114 - pathlib is slow to load
        return  # shown already, by the system's own link
    os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120 - as above
    source = f"/old{real}"
    if os.path.isdir(source):  # noqa: PTH112 - as above
        os.makedirs(target, exist_ok=True)  # noqa: PTH103 - as above
    elif not os.path.exists(target):  # noqa: PTH110 - as above
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))
    mount(call, source, target, None, BIND | REC)
    if closed:
        close(call, target, devices=devices)


def hide(call: Call, path: str) -> None:
    """Shows an empty folder that stays empty where there is a folder; nothing where there is none."""
    target = f"/new{path}"
    if os.path.isdir(target) and not os.path.islink(target):  # noqa: PTH112, PTH114 - as above
        mount(call, "tmpfs", target, "tmpfs", NOSUID | NODEV, options="size=4k,mode=555")
        close(call, target)


def followed(path: str) -> str | None:
    """The path with its links followed inside the old root; None where it leads nowhere."""
    done = ""
    rest = [part for part in path.split("/") if part]
    for _ in range(1000):
        if not rest:
            return done or "/"
        part = rest.pop(0)
        if part in (".", ".."):
            done = os.path.dirname(done) if part == ".." else done  # noqa: PTH120 - as above
            continue
        here = f"/old{done}/{part}"
        if os.path.islink(here):  # noqa: PTH114 - as above
            goal = os.readlink(here)  # noqa: PTH115 - as above
            done = "" if goal.startswith("/") else done
            rest = [one for one in goal.split("/") if one] + rest
        elif os.path.exists(here):  # noqa: PTH110 - as above
            done = f"{done}/{part}"
        else:
            return None
    return None


def system(call: Call) -> None:
    """The system's programs and libraries, the few settings they need, harmless devices, and a scratch folder."""
    for name in SYSTEM:
        if os.path.islink(f"/old/{name}"):  # noqa: PTH114 - as above
            os.symlink(os.readlink(f"/old/{name}"), f"/new/{name}")  # noqa: PTH115, PTH211 - as above
        else:
            bind(call, f"/{name}", closed=True)
    for name in SETTINGS:
        bind(call, f"/etc/{name}", closed=True)
    for name in DEVICES:
        bind(call, f"/dev/{name}", closed=True, devices=True)
    for place in ("/new/tmp", "/new/dev/shm"):
        os.makedirs(place)  # noqa: PTH103 - as above
        mount(call, "tmpfs", place, "tmpfs", NOSUID | NODEV, options=SCRATCH)
    os.symlink("/proc/self/fd", "/new/dev/fd")  # noqa: PTH211 - as above


def processes(call: Call, most: int) -> None:
    """The cell's own /proc, where the kernel gives one, with no more user namespaces and few process ids."""
    os.makedirs("/new/proc")  # noqa: PTH103 - as above
    try:
        mount(call, "proc", "/new/proc", "proc", NOSUID | NODEV | NOEXEC)
    except OSError:
        return  # inside many containers; programs do without
    for name, value in (("user/max_user_namespaces", 0), ("kernel/pid_max", max(most + 8, 400))):
        try:
            with open(f"/new/proc/sys/{name}", "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
                file.write(str(value))
        except OSError:
            continue  # a kernel where it is not the namespace's own
    close(call, "/new/proc")
