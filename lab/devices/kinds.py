"""Kinds of Android in a container, as data: what each needs, how it is run, and why this machine cannot.

The data stands in ``kinds.toml``; a new kind is a new table there.
"""

from __future__ import annotations

import difflib
import fcntl
import gzip
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

_KVM_CREATE_VM = 0xAE01  # linux/kvm.h
KINDS_FILE = Path(__file__).with_name("kinds.toml")


@dataclass(frozen=True)
class Kind:
    """One image. ``needs`` names entries of what ``why_not`` can check: kvm, binder, privileged."""

    name: str
    about: str
    image: str
    needs: tuple[str, ...]
    adb_port: int
    ready: str  # shell command whose answer is 1 once Android is up
    boot_s: int
    root: str
    memory_mb: int
    devices: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    proxy_environment: Mapping[str, str] = field(default_factory=dict)
    proxy_arguments: tuple[str, ...] = ()
    privileged: bool = False

    def run_arguments(self, proxy: tuple[str, int] | None = None) -> dict[str, object]:
        """Keyword arguments for docker's ``containers.create``; with ``proxy`` the device uses it for HTTP."""
        environment, command = dict(self.environment), list(self.arguments)
        if proxy is not None:
            places = {"proxy_host": proxy[0], "proxy_port": proxy[1]}
            environment |= {key: value.format(**places) for key, value in self.proxy_environment.items()}
            command += [word.format(**places) for word in self.proxy_arguments]
        return {
            "image": self.image,
            "environment": environment,
            "command": command or None,
            "devices": [f"{device}:{device}:rwm" for device in self.devices],
            "privileged": self.privileged,
            "mem_limit": f"{self.memory_mb}m",
        }


@dataclass(frozen=True)
class Lack:
    """Why something cannot be done here, and what would mend it."""

    why: str
    mend: str


@dataclass(frozen=True)
class Machine:
    """What of this machine decides whether a kind can run."""

    kvm: Lack | None  # why /dev/kvm cannot be used; None: it makes virtual machines
    binder: bool  # binder devices exist, or the running kernel can make them
    lacking: int  # capabilities the kernel knows and this process cannot have: a privileged container needs all
    memory_mb: int


@lru_cache(maxsize=1)
def kinds() -> dict[str, Kind]:
    """Every kind by name."""
    tables: dict[str, dict[str, Any]] = tomllib.loads(KINDS_FILE.read_text(encoding="utf-8"))
    return {
        name: Kind(name=name, **{key: _frozen(value) for key, value in table.items()}) for name, table in tables.items()
    }


def kind(name: str) -> Kind:
    """One kind. Raises ``LookupError`` with the known ones and the nearest match."""
    known = kinds()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise LookupError(f"unknown kind of device {name!r}; known: {', '.join(known)}{hint}")
    return known[name]


def why_not(wanted: Kind, machine: Machine | None = None) -> list[Lack]:
    """Everything that keeps this machine from running a kind; empty: nothing known against it."""
    machine = machine or this_machine()
    lacks = []
    if "kvm" in wanted.needs and machine.kvm is not None:
        lacks.append(machine.kvm)
    if "binder" in wanted.needs and not machine.binder:
        mend = "modprobe binder_linux devices=binder,hwbinder,vndbinder (a kernel with CONFIG_ANDROID_BINDERFS)"
        lacks.append(Lack("this kernel has no binder", mend))
    if "privileged" in wanted.needs and machine.lacking:
        numbers = ", ".join(str(number) for number in range(64) if machine.lacking >> number & 1)
        why = f"no privileged containers: capabilities {numbers} are out of reach"
        lacks.append(Lack(why, "run as root, outside the sandbox"))
    if machine.memory_mb < wanted.memory_mb:
        why = f"{machine.memory_mb} MB of memory, {wanted.memory_mb} needed for one device"
        lacks.append(Lack(why, f"a machine with {wanted.memory_mb} MB"))
    return lacks


def this_machine(root: Path = Path("/")) -> Machine:
    """What /dev and /proc say."""
    filesystems = _text(root / "proc/filesystems")
    binder = (root / "dev/binder").exists() or (root / "dev/binderfs").exists() or "\tbinder\n" in filesystems
    memory = next((line.split()[1] for line in _text(root / "proc/meminfo").splitlines() if "MemTotal" in line), "0")
    bounding = next(
        (line.split()[1] for line in _text(root / "proc/self/status").splitlines() if "CapBnd" in line), "0"
    )
    last = _text(root / "proc/sys/kernel/cap_last_cap").strip()
    every = (2 << int(last)) - 1 if last.isdecimal() else 0
    binder = binder or _configured(root)
    return Machine(_no_kvm(root / "dev/kvm"), binder, every & ~int(bounding, 16), int(memory) // 1024)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _no_kvm(path: Path) -> Lack | None:
    """Why no virtual machine can be made; ``None`` when one was made, and given back.

    An emulator is one, and without KVM it boots in hours, if at all.
    """
    try:
        device = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        why = f"no {path}: this processor or hypervisor offers no virtual machines"
        return Lack(why, "turn on VT-x or AMD-V (in a VM: nested), modprobe kvm_intel or kvm_amd")
    except OSError as fault:
        return Lack(f"{path}: {fault.strerror}", "sudo usermod -aG kvm $USER, then log in again")
    try:
        os.close(fcntl.ioctl(device, _KVM_CREATE_VM, 0))
    except OSError as fault:
        why = f"{path} is there but makes no virtual machine ({fault.strerror})"
        return Lack(why, "use a machine whose hypervisor allows nested virtual machines")
    finally:
        os.close(device)
    return None


def _configured(root: Path) -> bool:
    """Whether the running kernel's own configuration has binder, built in or as a module."""
    try:
        text = gzip.decompress((root / "proc/config.gz").read_bytes()).decode(errors="replace")
    except (OSError, EOFError):
        return False
    return "CONFIG_ANDROID_BINDER_IPC=y" in text or "CONFIG_ANDROID_BINDER_IPC=m" in text


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
