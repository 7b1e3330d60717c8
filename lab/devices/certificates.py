"""How each Android version is made to trust a certificate authority: a plan of shell commands. Pure text.

Since Android 7 apps trust the system's store only, unless they say otherwise; pinning apps trust neither. Up to 9 the
store can be remounted for writing (an emulator with -writable-system); from 10 a tmpfs copy is mounted over it; from 14
the store that counts lies in the conscrypt APEX and every process has its own mounts, so the copy is bound into zygote
(for apps to come) and into the apps that run. All but a remount is lost on reboot. Never run on a real Android by us.
"""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from lab.devices.errors import DeviceError

STORE = "/system/etc/security/cacerts"
APEX = "/apex/com.android.conscrypt/cacerts"
_LOADING = "/data/local/tmp"
_COPY = f"{_LOADING}/droidrange-cacerts"
_REMOUNT_UNTIL = 28  # Android 9
_APEX_FROM = 34  # Android 14


@dataclass(frozen=True)
class InstallPlan:
    """What to push where, the commands to run then, in order, and a sentence for the recording."""

    content: bytes
    pushed_to: str
    commands: tuple[str, ...]
    explanation: str


def subject_hash_old(pem: bytes) -> str:
    """The store's file name: MD5 of the DER subject, its first four bytes little-endian (openssl -subject_hash_old)."""
    subject = x509.load_pem_x509_certificate(pem).subject.public_bytes()
    digest = hashlib.md5(subject, usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def install_plan(pem: bytes, *, serial: str, sdk: int | None, root_prefix: str | None, writable: bool) -> InstallPlan:
    """The plan for one device. ``root_prefix`` goes before a quoted command to run it as root; empty: adbd is root.

    ``writable``: files can be written into the system's store as it is (a handset, a remounted emulator).
    Raises ``DeviceError`` where there is no root or the version is unknown, ``ValueError`` when ``pem`` is none.
    """
    certificate = x509.load_pem_x509_certificate(pem)
    name = f"{subject_hash_old(pem)}.0"
    pushed = f"{_LOADING}/{name}"
    if sdk is None:
        raise DeviceError(serial, "getprop ro.build.version.sdk", "no SDK level", "is this an Android device?")
    if root_prefix is None and not writable:
        raise DeviceError(
            serial, "install a CA", "no root, so the system's store is closed", "a rootable image (not Google Play's)"
        )
    steps, told = _steps(sdk, writable=writable)
    steps.append(f"cp {pushed} {STORE}/{name} && chmod 644 {STORE}/{name}")
    if not writable:
        steps.append(f"chcon u:object_r:system_file:s0 {STORE}/* 2>/dev/null; true")
    if sdk >= _APEX_FROM:
        steps.append(_into_apex())
        told += ", bound into the conscrypt APEX of zygote and of running apps where there is one"
    steps.append(f"rm -f {pushed}")
    return InstallPlan(
        content=certificate.public_bytes(Encoding.PEM),
        pushed_to=pushed,
        commands=tuple(as_root(step, root_prefix or "") for step in steps),
        explanation=f"{name}: {told}; apps that pin certificates stay encrypted",
    )


def as_root(command: str, root_prefix: str) -> str:
    """The command, behind the device's way to be root."""
    return f"{root_prefix} {shlex.quote(command)}" if root_prefix else command


def proxy_command(address: str | None, port: int = 0) -> str:
    """Set or clear the system's HTTP proxy, which apps may ignore (and many do); ``:0`` clears it at once."""
    return f"settings put global http_proxy {address}:{port}" if address else "settings put global http_proxy :0"


def _steps(sdk: int, *, writable: bool) -> tuple[list[str], str]:
    if writable:
        return [], "written into the system's store"
    if sdk <= _REMOUNT_UNTIL:
        tried = f"mount -o rw,remount /system && touch {STORE}/.droidrange && rm {STORE}/.droidrange"
        overlay = " && ".join(_tmpfs(STORE))
        return [f"({tried}) 2>/dev/null || ({overlay})"], "written into the remounted system, else over it until reboot"
    source = f"$([ -d {APEX} ] && echo {APEX} || echo {STORE})" if sdk >= _APEX_FROM else STORE
    return _tmpfs(source), "in a tmpfs over the system's store until reboot"


def _tmpfs(source: str) -> list[str]:
    """A tmpfs over the store, filled with what was trusted before."""
    return [
        f"rm -rf {_COPY} && mkdir -m 700 {_COPY} && cp {source}/* {_COPY}/",
        f"mount -t tmpfs tmpfs {STORE}",
        f"cp {_COPY}/* {STORE}/ && chown root:root {STORE}/* && chmod 644 {STORE}/* && rm -rf {_COPY}",
    ]


def _into_apex() -> str:
    """Bind the store over the APEX's: in our own mounts, in each zygote's, in those of the zygotes' children."""
    enter = f"nsenter --mount=/proc/$pid/ns/mnt -- /bin/mount --bind {STORE} {APEX}"
    return (
        f"[ ! -d {APEX} ] || {{ mount --bind {STORE} {APEX}; "
        f"for zygote in $(pidof zygote zygote64); do pid=$zygote; {enter} || exit 1; "
        # an app may end between ps and nsenter: that is no failure
        "for pid in $(ps -A -o PID,PPID | awk -v z=$zygote '$2 == z { print $1 }'); "
        f"do {enter} || true; done; done; }}"
    )
