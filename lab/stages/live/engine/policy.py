"""What a container of a lab may be: hardened by default, and refused where it asks for what no lab may have.

Pure: settings in, arguments for ``containers.create`` out. Nothing here talks to an engine. What is not allowed by name
is refused, so that a new setting of docker's needs a thought here first.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.stages.live.engine.session import Session

# what a role may add to nothing: each is needed by one, and none reaches beyond the container's own namespaces
CAPS = frozenset(
    {
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "KILL",
        "NET_ADMIN",
        "NET_BIND_SERVICE",
        "NET_RAW",
        "SETGID",
        "SETPCAP",
        "SETUID",
    }
)
DEVICES = frozenset({"/dev/kvm", "/dev/net/tun"})
DEFAULTS: Mapping[str, Any] = {
    "detach": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "read_only": True,
    "tmpfs": {"/tmp": "size=16m,mode=1777,nosuid,nodev"},  # noqa: S108 - inside the container
    "pids_limit": 128,
    "mem_limit": "256m",
    "init": True,
    "ipc_mode": "private",
    "use_config_proxy": False,  # this machine's proxy is no affair of a lab
    "log_config": {"Type": "json-file", "Config": {"max-size": "16m", "max-file": "2"}},
}
# docker's own words that a role may use
_FREE = frozenset(
    {
        *("command", "entrypoint", "environment", "user", "group_add", "working_dir", "hostname", "labels"),
        *("dns", "dns_search", "dns_opt", "extra_hosts", "mac_address", "sysctls"),
        *("tmpfs", "shm_size", "ulimits", "nano_cpus", "cpu_shares"),
        *("init", "stop_signal", "tty", "stdin_open"),
    }
)
_JUDGED = {"caps", "network", "network_mode", "pids_limit", "mem_limit", "volumes", "mounts", "devices"}
_SOCKETS = ("docker.sock", "containerd.sock", "podman.sock")
_PARENTS = frozenset({"/", "/run", "/var", "/var/run", "/proc", "/sys", "/dev", "/etc"})  # they show too much


def container_settings(session: Session, role: str, image: str, name: str, **wanted: Any) -> dict[str, Any]:
    """Arguments of ``containers.create``: DEFAULTS, then ``wanted`` (docker's own words), then identity and labels.

    ``caps`` (names without CAP_) are added to none; ``tmpfs`` to the default one; ``labels`` to the lab's. Without a
    network of the lab there is none at all. ValueError names everything that is refused.
    """
    faults = refusals(session, wanted)
    if faults:
        raise ValueError(f"{name}: " + "; ".join(faults))
    made = {**DEFAULTS, **wanted, "tmpfs": {**DEFAULTS["tmpfs"], **wanted.get("tmpfs", {})}}
    if "network" not in wanted:
        made.setdefault("network_mode", "none")
    made["memswap_limit"] = made["mem_limit"]  # no swap beyond it
    made["cap_add"] = sorted(made.pop("caps", ()))
    made["labels"] = session.labels(role, **wanted.get("labels", {}))
    return made | {"image": image, "name": session.full_name(name)}


def refusals(session: Session, wanted: Mapping[str, Any]) -> list[str]:
    """Everything in ``wanted`` that the policy forbids, in words."""
    found = [f"{key} is not among what a container of a lab may set" for key in sorted(set(wanted) - _FREE - _JUDGED)]
    found += [
        f"capability {cap} is not among {', '.join(sorted(CAPS))}" for cap in wanted.get("caps", ()) if cap not in CAPS
    ]
    found += [
        f"device {x!r} is not among {', '.join(sorted(DEVICES))}" for x in wanted.get("devices", ()) if not _known(x)
    ]
    found += [
        f"{key} = {wanted[key]!r}: there must be a limit"
        for key in ("pids_limit", "mem_limit")
        if not _limits(wanted, key)
    ]
    return found + _network_faults(session, wanted) + _mount_faults(session, wanted)


def _known(device: object) -> bool:
    return str(device).split(":")[0] in DEVICES


def _limits(wanted: Mapping[str, Any], key: str) -> bool:
    return key not in wanted or (bool(wanted[key]) and str(wanted[key])[0] not in "-0")


def _network_faults(session: Session, wanted: Mapping[str, Any]) -> list[str]:
    """Only a network of this very lab, another container's, or none."""
    found = []
    network, mode = wanted.get("network"), str(wanted.get("network_mode", "none"))
    if network is not None and not str(network).startswith(session.full_name("")):
        found.append(f"network {network!r} is not one of this lab")
    if mode != "none" and not mode.startswith("container:"):
        found.append(f"network_mode {mode!r}: only container:ID or none")
    if network is not None and "network_mode" in wanted:
        found.append("network and network_mode cannot both be set")
    return found


def _mount_faults(session: Session, wanted: Mapping[str, Any]) -> list[str]:
    """Binds of this machine's paths: never an engine's socket or its parents; writable only in the lab's own."""
    found = []
    for source, target, writable in _binds(wanted):
        path = Path(source)
        if not path.is_absolute() or ".." in path.parts:
            found.append(f"mount of {source!r}: a plain absolute path is needed; a named volume would be left behind")
        elif str(path) in _PARENTS or any(text.endswith(_SOCKETS) for text in (str(path), target)):
            found.append(f"mount of {source!r}: shows the machine, or its engine, to a container")
        elif writable and not path.is_relative_to(session.folder):
            found.append(f"mount of {source!r}: writable only below {session.folder}")
    return found


def _binds(wanted: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """(source, target, writable) of every mount, in each way docker has to say it."""
    volumes = wanted.get("volumes", {})
    if isinstance(volumes, Mapping):
        found = [(str(source), str(at["bind"]), at.get("mode", "rw") != "ro") for source, at in volumes.items()]
    else:
        parts = [(*str(text).split(":"), "", "") for text in volumes]
        found = [(source, target, "ro" not in mode.split(",")) for source, target, mode, *_ in parts]
    for mount in wanted.get("mounts", ()):
        if mount.get("Type") != "tmpfs":
            found.append((str(mount.get("Source")), str(mount.get("Target")), not mount.get("ReadOnly", False)))
    return found
