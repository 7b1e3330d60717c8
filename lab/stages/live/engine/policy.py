"""What a container of ours may be: hardened by default, and refused where it asks for what no lab may have.

Pure: settings in, arguments for ``containers.create`` out. Nothing here talks to an engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lab.stages.live.engine.session import Session

# what a role may add to nothing; each is needed by some role and none reaches beyond its own network namespace
CAPS = frozenset({
    "NET_ADMIN", "NET_RAW", "NET_BIND_SERVICE", "SETUID", "SETGID", "SETPCAP", "DAC_OVERRIDE", "CHOWN", "FOWNER",
    "KILL",
})  # fmt: skip
DEVICES = ("/dev/kvm", "/dev/net/tun")
DEFAULTS: Mapping[str, Any] = {
    "detach": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "read_only": True,
    "tmpfs": {"/tmp": "size=16m,mode=1777,noexec,nosuid,nodev"},  # noqa: S108 - inside the container
    "pids_limit": 128,
    "mem_limit": "256m",
    "init": True,
    "ipc_mode": "private",
    "log_config": {"Type": "json-file", "Config": {"max-size": "16m", "max-file": "2"}},
}
_NEVER = (
    "privileged", "ports", "publish_all_ports", "restart_policy", "pid_mode", "uts_mode", "userns_mode", "cgroupns",
    "cgroup_parent", "device_requests", "volumes_from", "links", "auto_remove", "remove", "runtime",
)  # fmt: skip
_UNCONFINED = ("unconfined", "label=disable", "systempaths")
_SOCKETS = ("docker.sock", "containerd.sock", "podman.sock")


def container_settings(session: Session, role: str, image: str, name: str, **wanted: Any) -> dict[str, Any]:
    """Arguments of ``containers.create``: DEFAULTS, then ``wanted`` (docker's own words), then identity and labels.

    ``caps`` (names without CAP_) are added to none. ``tmpfs`` is added to the default one; ``labels`` to the lab's.
    ``new_privileges=True`` lets setuid transitions of processes with SETUID happen. ValueError names what is refused.
    """
    faults = refusals(wanted)
    if faults:
        raise ValueError(f"{name}: " + "; ".join(faults))
    wanted = dict(wanted)
    caps: Sequence[str] = wanted.pop("caps", ())
    labels = session.labels(role, **wanted.pop("labels", {}))
    tmpfs = {**DEFAULTS["tmpfs"], **wanted.pop("tmpfs", {})}
    free: dict[str, Any] = {"security_opt": []} if wanted.pop("new_privileges", False) else {}
    made = {**DEFAULTS, **free, **wanted, "tmpfs": tmpfs}
    made["memswap_limit"] = made["mem_limit"]  # no swap beyond it
    made |= {"image": image, "name": session.full_name(name), "labels": labels, "cap_add": sorted(caps)}
    return made


def refusals(wanted: Mapping[str, Any]) -> list[str]:
    """Everything in ``wanted`` that the policy forbids, in words."""
    found = [f"{key} is never given to a container of a lab" for key in _NEVER if wanted.get(key)]
    found += [f"{key} is set here, not by a role" for key in ("image", "name", "cap_add", "cap_drop") if key in wanted]
    found += [f"capability {cap} is not among those a lab may add" for cap in wanted.get("caps", ()) if cap not in CAPS]
    mode = str(wanted.get("network_mode", ""))
    if mode and mode != "none" and not mode.startswith("container:"):
        found.append(f"network_mode {mode!r}: only container:ID or none")
    if wanted.get("ipc_mode", "private") != "private":
        found.append(f"ipc_mode {wanted['ipc_mode']!r}: only private")
    found += [f"security_opt {x!r} takes a protection away" for x in wanted.get("security_opt", ()) if _weakens(str(x))]
    found += [f"device {x!r} is not among {DEVICES}" for x in wanted.get("devices", ()) if not _known_device(str(x))]
    found += [f"mount of {x!r}: an engine's socket is given to nobody" for x in _sources(wanted) if _is_socket(x)]
    return found


def _weakens(option: str) -> bool:
    return any(word in option for word in _UNCONFINED) or option.replace("=", ":") == "no-new-privileges:false"


def _known_device(device: str) -> bool:
    return device.split(":", maxsplit=1)[0] in DEVICES


def _sources(wanted: Mapping[str, Any]) -> list[str]:
    """What is mounted, on either side, of every way docker has to say it."""
    volumes = wanted.get("volumes", {})
    if isinstance(volumes, Mapping):
        named = [str(x) for source, where in volumes.items() for x in (source, where.get("bind", ""))]
    else:
        named = [part for x in volumes for part in str(x).split(":")]
    return named + [str(mount.get(key) or "") for mount in wanted.get("mounts", ()) for key in ("Source", "Target")]


def _is_socket(path: str) -> bool:
    clean = "/" + "/".join(part for part in path.split("/") if part not in {"", "."})
    reaches = clean in {"/", "/run", "/var", "/var/run", "/proc", "/sys", "/dev"}  # a parent shows it as well
    return path.startswith("/") and (reaches or clean.endswith(_SOCKETS))
