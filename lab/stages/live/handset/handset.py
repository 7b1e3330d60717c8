"""The handset's container as the host starts it, and what makes a phone of it: packages, names, proxies.

Pure: arguments, file contents and shell commands. Engine and adb are others' business.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from lab.stages.live.topology.addresses import sysctls
from lab.timeline import App

ROLE = "handset"
ADB_PORT = 5555
SDKS = (29, 33, 35)  # Android 10, 13 and 15: the shapes of output that image/system/release knows
# adbd starts apps under their uids; the apps themselves have none (no new privileges, another uid)
CAPS = ("SETUID", "SETGID")
FIRST_APP_UID = 10000  # android_filesystem_config.h: AID_APP_START; below it live daemons, which are no packages
_TMPFS = {
    "/data": "size=64m,mode=0771,noexec,nosuid,nodev",
    # where a certificate authority is installed, as on an emulator with a writable system
    "/system/etc/security/cacerts": "size=1m,mode=0755,noexec,nosuid,nodev",
}
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*")
_PACKAGE_LENGTH = 100  # two dozen running packages have to fit in the phone's record of one page
Kind = Literal["socks5", "connect"]


def run_arguments(*, address: str, hosts: Path, serial: str, sdk: int = 33, model: str = "Handset") -> dict[str, Any]:
    """Arguments of ``Engine.run`` besides session, role, image, name and ``network``.

    ``address`` is on the underlay; ``hosts`` is a file of this machine (see ``write_hosts``) that the phone reads as
    its /etc/hosts, the only place where programs on it look names up. ``model`` and ``serial`` are what ``getprop``
    says. ValueError for a release whose shapes are unknown.
    """
    if sdk not in SDKS:
        raise ValueError(f"expected one of SDK {', '.join(map(str, SDKS))}, found {sdk}")
    if not _WORD.fullmatch(model) or not _WORD.fullmatch(serial):
        raise ValueError(f"expected a model and a serial of letters, digits, ' ._-', found {model!r}, {serial!r}")
    return {
        "address": address,
        "caps": CAPS,
        "environment": {"HANDSET_SDK": str(sdk), "HANDSET_MODEL": model, "HANDSET_SERIAL": serial},
        "hostname": "localhost",
        "sysctls": sysctls(ROLE),
        "tmpfs": _TMPFS,
        "volumes": {str(hosts): {"bind": "/etc/hosts", "mode": "ro"}},
        "pids_limit": 1024,  # every open conversation is a process here and a thread of adbd
        "mem_limit": "256m",
    }


def write_hosts(hosts: Path, names: Mapping[str, str]) -> None:
    """Makes ``names`` (name: address) what the phone knows, at once and also while it runs.

    The file is written in place: the container is bound to it, not to its name, so a replaced file would go unseen.
    ValueError for what is no host name or no address.
    """
    text = hosts_text(names)
    with hosts.open("r+" if hosts.exists() else "w", encoding="ascii") as file:
        file.write(text)
        file.truncate()
    hosts.chmod(0o644)  # apps read it under their own uids


def hosts_text(names: Mapping[str, str]) -> str:
    """The /etc/hosts of a phone that knows ``names`` (name: address), sorted by name."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"expected a host name, found {name!r}")
    rows = [f"{ipaddress.ip_address(address)} {name}\n" for name, address in sorted(names.items())]
    return "127.0.0.1 localhost\n" + "".join(rows)


def packages_list(apps: Iterable[App]) -> str:
    """The lines of /data/system/packages.list for ``apps``: package|uid|version name|version code|3|apk.

    Daemons (uid below 10000, such as netd) are left out: they are no packages. ValueError for what is no package name.
    """
    rows = []
    for app in sorted(apps, key=lambda app: (app.uid, app.package)):
        if app.uid < FIRST_APP_UID:
            continue
        if not _PACKAGE.fullmatch(app.package) or len(app.package) > _PACKAGE_LENGTH:
            raise ValueError(f"expected a package name of at most {_PACKAGE_LENGTH} letters, found {app.package!r}")
        rows.append(f"{app.package}|{app.uid}|1.0|1|3|/data/app/{app.package}-1/base.apk\n")
    return "".join(rows)


def provision_command(apps: Iterable[App]) -> str:
    """The adb shell command that makes a fresh phone with ``apps`` of a running one: state, history and proxies go."""
    return f"relay stop && boot && cat >>/data/system/packages.list <<'END'\n{packages_list(apps)}END\n"


def relay_start_command(kind: Kind, uid: int, port: int, address: str = "0.0.0.0") -> str:  # noqa: S104 - in the lab
    """The adb shell command that starts a real proxy on the phone under an app's uid and returns when it listens.

    ``socks5`` is microsocks, ``connect`` is tinyproxy; both look names up in /etc/hosts alone. Exit code 0, or 1 with
    the reason on stderr (the port is taken).
    """
    if not FIRST_APP_UID <= uid < 1 << 16 or not 1024 <= port < 1 << 16:
        raise ValueError(f"expected an app's uid and a port from 1024, found {uid}, {port}")
    return f"relay start {kind} {uid} {port} {ipaddress.IPv4Address(address)}"


def relay_stop_command(port: int | None = None) -> str:
    """The adb shell command that ends the proxy on ``port`` (all of them without it) and returns when it is gone."""
    return "relay stop" if port is None else f"relay stop {port}"
