"""The inner side of the fence: becomes a cell (namespaces, limits), runs one command in it, tells how it ended.

Run as a script by an interpreter without site-packages, so: the standard library only, and nothing of droidrange.
``cell.py ORDER LIFE STATUS``: the order as JSON, a pipe that closes when whoever ordered wants an end or is dead, and a
pipe for one line of JSON: {"code": N}, {"signal": N}, or {"broken": "why the cell could not be built"}.

Three processes stand between: the keeper (this script) in the old namespaces, the founder that leaves them, the first
(pid 1 of the cell), whose death ends everything inside. Each dies with the one before it. Sources: namespaces(7),
user_namespaces(7), pid_namespaces(7), capabilities(7), mount_setattr(2).
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import sys
import traceback
from typing import Any, NoReturn

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
FLAGS = {
    "all": NEWNS | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET,
    "network": NEWUSER | NEWNET,
    "none": 0,
}
PDEATHSIG, SUBREAPER, NO_NEW_PRIVS, KEEPCAPS, CAPBSET_DROP, CAP_AMBIENT, AMBIENT_RAISE = 1, 36, 38, 8, 24, 47, 2
DAC_OVERRIDE = 1
NOBODY = 65534
FULL = 4294967295

Order = dict[str, Any]
libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> None:
    """Calls a function of libc; OSError where it fails."""
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def prctl(option: int, value: int = 0, third: int = 0) -> None:
    """One operation on this process; OSError where it fails."""
    call("prctl", option, ctypes.c_ulong(value), ctypes.c_ulong(third), ctypes.c_ulong(0), ctypes.c_ulong(0))


def main() -> None:
    """Keeps the cell: founds it, waits for its end or for the order to end it, and tells."""
    order, life, status = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.set_inheritable(life, False)
    os.set_inheritable(status, False)
    prctl(SUBREAPER, 1)
    left, mapped = os.pipe(), os.pipe()
    founder = os.fork()
    if founder == 0:
        for unused in (life, left[0], mapped[1]):
            os.close(unused)
        attempted(status, lambda: found(order, left[1], mapped[0], status))
    os.close(left[1])
    os.close(mapped[0])
    try:
        if FLAGS[order["level"]] and os.read(left[0], 1):
            write_maps(founder)
            os.write(mapped[1], b"+")
    except OSError as fault:
        tell(status, broken=f"no map of users: {fault}")
        os.kill(founder, signal.SIGKILL)
    handle = os.pidfd_open(founder)
    watcher = select.poll()
    watcher.register(life, select.POLLIN | select.POLLHUP)
    watcher.register(handle, select.POLLIN)
    watcher.poll()
    end_all(founder, waited=order["level"] == "all")


def tell(status: int, **what: Any) -> None:
    """Writes the line of status."""
    os.write(status, json.dumps(what).encode() + b"\n")


def attempted(status: int, action: Any) -> NoReturn:
    """Leaves the process after the action; a cell that could not be built tells why."""
    try:
        action()
    except BaseException as fault:  # noqa: BLE001 - whatever it is, the other side must hear of it
        place = traceback.extract_tb(fault.__traceback__)[-1].name
        tell(status, broken=f"{type(fault).__name__}: {fault} (in {place})")
    os._exit(0)


def found(order: Order, left: int, mapped: int, status: int) -> None:
    """Leaves the namespaces, waits until users are mapped, and lets the first process of the cell be born."""
    flags = FLAGS[order["level"]]
    if flags:
        call("unshare", flags)
        os.write(left, b"+")
        if not os.read(mapped, 1):
            raise OSError("the keeper ended")
    prctl(PDEATHSIG, signal.SIGKILL)
    if order["level"] != "all":
        live(order, status)
        return
    first = os.fork()
    if first == 0:
        prctl(PDEATHSIG, signal.SIGKILL)
        from_mounts(order, status)
    os.waitpid(first, 0)


def from_mounts(order: Order, status: int) -> NoReturn:
    """The first process: builds what the cell sees, then runs the command."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - a script without site-packages
    import mounts  # type: ignore[import-not-found]  # a neighbour, found by the line above

    def action() -> None:
        mounts.build(order, call)
        live(order, status)

    attempted(status, action)


def live(order: Order, status: int) -> None:
    """Runs the command, waits for it alone, and tells how it ended."""
    ready = os.pipe()
    command = os.fork()
    if command == 0:
        attempted(status, lambda: become(order, ready[1]))
    os.close(ready[1])
    while True:
        try:
            pid, how = os.wait()
        except ChildProcessError:
            return
        if pid == command:
            break
    if os.read(ready[0], 1):
        return  # it told itself why it could not begin
    code = os.waitstatus_to_exitcode(how)
    tell(status, **({"signal": -code} if code < 0 else {"code": code}))


def become(order: Order, ready: int) -> None:
    """Sets limits, gives up every right, and becomes the command."""
    limit(order)
    for number in range(1, 65):
        if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
            signal.signal(number, signal.SIG_DFL)
    os.chdir(order["folder"])
    if order["level"] != "none":
        give_up()
    prctl(NO_NEW_PRIVS, 1)
    os.set_inheritable(ready, False)
    try:
        os.execve(order["command"][0], order["command"], order["environment"])  # noqa: S606 - the very purpose
    except OSError as fault:
        os.write(ready, b"!")
        raise OSError(fault.errno, f"cannot run {order['command'][0]}: {fault.strerror}") from None


def limit(order: Order) -> None:
    """Sets the resource limits, where they are not stricter already."""
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: order["cpu_seconds"],
        resource.RLIMIT_AS: order["memory"],
        resource.RLIMIT_FSIZE: order["output"],
        resource.RLIMIT_NOFILE: 1024,
    }
    if order["level"] != "none":  # outside a user namespace all processes of this user would count
        wanted[resource.RLIMIT_NPROC] = order["processes"]
    for name, most in wanted.items():
        _, hard = resource.getrlimit(name)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        hardest = least + 1 if name == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else least
        resource.setrlimit(name, (least, hardest))  # at the harder one the kernel kills without saying why


def give_up() -> None:
    """Drops every capability; root becomes nobody, with the one right to read files that root may read."""
    root = os.getuid() == 0 and everybody()
    for capability in range(64):
        if root and capability == DAC_OVERRIDE:
            continue
        if libc.prctl(CAPBSET_DROP, ctypes.c_ulong(capability), *(ctypes.c_ulong(0),) * 3) != 0:
            break  # the last one there is
    if not root:
        return
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    prctl(KEEPCAPS, 1)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    right = 1 << DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    call("capset", header, (ctypes.c_uint32 * 6)(right, right, right, 0, 0, 0))
    prctl(CAP_AMBIENT, AMBIENT_RAISE, DAC_OVERRIDE)


def everybody() -> bool:
    """Whether this user namespace maps more than one user."""
    with open("/proc/self/uid_map", encoding="utf-8") as file:  # noqa: PTH123 - pathlib is slow to load
        return int(file.read().split()[2]) > 1


def write_maps(founder: int) -> None:
    """Maps the users of the founder's namespace: all of them for root, else the own one alone."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        if uid != 0:
            raise PermissionError
        put(f"/proc/{founder}/uid_map", f"0 0 {FULL}")
        put(f"/proc/{founder}/gid_map", f"0 0 {FULL}")
    except OSError:
        put(f"/proc/{founder}/setgroups", "deny")
        put(f"/proc/{founder}/uid_map", f"{uid} {uid} 1")
        put(f"/proc/{founder}/gid_map", f"{gid} {gid} 1")


def put(path: str, text: str) -> None:
    """Writes a file of /proc in one piece."""
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
        file.write(text)


def end_all(founder: int, *, waited: bool) -> None:
    """Ends the founder and, where no pid namespace does it, all that descends from this process."""
    os.kill(founder, signal.SIGKILL)
    while True:
        for child in [] if waited else descendants():
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            os.wait()
        except ChildProcessError:
            return


def descendants() -> list[int]:
    """The process ids below this one: orphans come to it, since it is their subreaper."""
    found, queue = [], [os.getpid()]
    while queue:
        parent = queue.pop()
        try:
            with open(f"/proc/{parent}/task/{parent}/children", encoding="utf-8") as file:  # noqa: PTH123 - as above
                children = [int(word) for word in file.read().split()]
        except OSError:
            continue
        found += children
        queue += children
    return found


if __name__ == "__main__":
    main()
