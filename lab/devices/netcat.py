"""The command that opens one socket on a device under an app's uid: toybox nc behind the uid switch. Pure.

Android ships toybox (since 6), Debian packages it: the same words work on a handset, an emulator and a phone. Measured
with toybox 0.8.9: end of stdin makes nc send a FIN at once and read on; the peer's FIN ends nc.
"""

from __future__ import annotations

import ipaddress
import re

from lab.devices.capabilities import COSTS, Capabilities
from lab.devices.errors import DeviceError

_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")
CONNECT_S = 10
DATAGRAM_GAP_S = 0.01  # merged on two busy cores, ten streams: 3 % at 2 ms, 1 % at 10 ms; one stream: none from 5 ms
DATAGRAM_MOST = 4096


def connect_command(
    caps: Capabilities, uid: int, package: str, address: str, port: int, *, udp: bool = False, idle_s: int | None = None
) -> str:
    """Connect to ``address``:``port`` as the app; stdin goes out, what comes is stdout.

    ``idle_s`` ends a conversation in which neither side speaks for so long (nc -W). UDP has no end that nc could see:
    it leaves one second after its stdin ended (without -q it would stay for ever). Measured for UDP: a datagram is one
    read of stdin, 4096 bytes at most; what is written before nc runs, or less than ``DATAGRAM_GAP_S`` apart, may become
    one. So send the first, wait until it is seen (NFLOG), then the next. What comes back keeps bytes, not boundaries.
    Raises ``DeviceError`` where the device has no nc, no UDP or no way to the app's uid.
    """
    peer = ipaddress.ip_address(address).compressed
    flags = _flags(caps, udp=udp, idle_s=idle_s, wait_s=CONNECT_S)
    return _as_app(caps, uid, package, [*flags, peer, str(_checked(port))], udp=udp)


def listen_command(
    caps: Capabilities,
    uid: int,
    package: str,
    port: int,
    *,
    address: str | None = None,
    udp: bool = False,
    wait_s: int = 3600,
    idle_s: int | None = None,
) -> str:
    """Listen as the app for ONE connection, which becomes stdin and stdout; give up after ``wait_s``.

    A waiting nc reads no stdin, so closing the stream does not end it: ``kill_command`` with the pid of the stream's
    outcome does, else ``wait_s``.
    """
    local = ["-s", ipaddress.ip_address(address).compressed] if address else []
    flags = _flags(caps, udp=udp, idle_s=idle_s, wait_s=wait_s)
    return _as_app(caps, uid, package, [*flags, *local, "-p", str(_checked(port)), "-l"], udp=udp)


def kill_command(caps: Capabilities, uid: int, package: str, pid: int) -> str:
    """End a program of the app; as the app, because adbd in a hardened container may not kill others' processes."""
    return as_app(caps, uid, package, ["toybox", "kill", str(pid)])


def as_app(caps: Capabilities, uid: int, package: str, words: list[str]) -> str:
    """``words`` (which need no quoting) run as the app by the device's own way to change the uid."""
    program = " ".join(words)
    ways = {
        "setpriv": f"exec setpriv --reuid {uid} --regid {uid} --clear-groups --inh-caps=-all --no-new-privs {program}",
        "su": f"exec su {uid} {program}",
        "su -c": f"exec su {uid} -c '{program}'",
        "run-as": f"exec run-as {package} {program}",
    }
    if not _PACKAGE.fullmatch(package) or not 0 < uid < 1 << 31:
        raise ValueError(f"expected a package and its uid, found {package!r}, {uid}")
    if caps.uid_switch not in ways:
        raise DeviceError(caps.serial, program, COSTS["uid_switch"], "a rootable image, or a debuggable package")
    return ways[caps.uid_switch]


def _as_app(caps: Capabilities, uid: int, package: str, words: list[str], *, udp: bool) -> str:
    """Nc as the app; the shell says its pid first, and becomes nc."""
    if caps.netcat is None:
        raise DeviceError(caps.serial, "toybox nc --help", COSTS["netcat"], "a device with toybox nc")
    if udp and "u" not in caps.netcat:
        raise DeviceError(caps.serial, "toybox nc -u", COSTS["udp"], "a device with a newer toybox")
    return 'echo "pid $$" >&2; ' + as_app(caps, uid, package, ["toybox", "nc", *words])


def _flags(caps: Capabilities, *, udp: bool, idle_s: int | None, wait_s: int) -> list[str]:
    """Those of the wanted flags that this nc has; only -u is indispensable, and was asked for before."""
    wanted = {"w": wait_s, "W": idle_s, "q": 1 if udp else None}
    flags = ["-u"] if udp else []
    for letter, value in wanted.items():
        if value is not None and caps.netcat and letter in caps.netcat:
            flags += [f"-{letter}", str(value)]
    return flags


def _checked(port: int) -> int:
    if not 0 < port < 1 << 16:
        raise ValueError(f"expected a port from 1 to 65535, found {port}")
    return port
