"""The network interfaces of this machine and its named namespaces, as iproute2 tells them."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

from lab.errors import PrerequisiteError

#: What an interface of the lab is called by its alias (ip link set ... alias), and what follows is who made it.
LABEL = "droidrange wire"
#: Destinations of a default route, and the halves of the world by which VPNs outdo one without replacing it.
EVERYWHERE = ("default", "0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1")
BOUND_S = 20.0  # of every question to iproute2


@dataclass(frozen=True)
class Interface:
    """One interface. ``namespace`` is empty for the present one; ``kind`` for hardware."""

    name: str
    namespace: str
    kind: str
    alias: str
    mtu: int
    up: bool
    mac: str
    master: str  # the bridge or bond it is a port of
    loopback: bool
    default_route: bool  # a default route of its namespace leaves through it
    sent: int  # packets it has counted as sent
    index: int = 0  # its number in its namespace, which a new interface of its name does not have
    peer: int = 0  # of a veth with its other end in another namespace: that end's number there

    @property
    def spec(self) -> str:
        """How a command line names it: NAME, or NAMESPACE/NAME."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def ours(self) -> bool:
        """Whether the lab's label is on it."""
        return self.alias == LABEL or self.alias.startswith(LABEL + " ")


def parted(spec: str) -> tuple[str, str]:
    """Namespace, "" for the present one, and name of an interface NAME or NAMESPACE/NAME."""
    namespace, _, name = spec.rpartition("/")
    return namespace, name


def interfaces(namespace: str = "") -> dict[str, Interface]:
    """All interfaces of a namespace by name; PrerequisiteError if there is no such namespace or no iproute2."""
    within = ["-n", namespace] if namespace else []
    links = asked(*within, "-d", "-s", "-j", "link", "show")
    through = {
        hop["dev"]
        for family in ("-4", "-6")
        for route in asked(*within, family, "-j", "route", "show", "table", "all")
        if route.get("dst") in EVERYWHERE and route.get("type", "unicast") == "unicast"
        for hop in (route, *route.get("nexthops", ()))
        if "dev" in hop
    }
    return {link["ifname"]: _interface(link, namespace, through) for link in links if "ifname" in link}


def interface(spec: str) -> Interface | None:
    """The interface NAME or NAMESPACE/NAME; None if there is none."""
    namespace, name = parted(spec)
    if namespace and namespace not in namespaces():
        return None
    return interfaces(namespace).get(name)


def namespaces() -> list[str]:
    """The named network namespaces of this machine."""
    return sorted(row["name"] for row in asked("-j", "netns", "list"))


def asked(*words: str) -> list[dict[str, Any]]:
    """What ``ip`` answers in JSON; PrerequisiteError with its own words where it fails."""
    text = told(*words)
    return json.loads(text) if text.strip() else []


def told(*words: str) -> str:
    """What ``ip`` prints; PrerequisiteError with its own words where it fails."""
    where = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")
    if where is None:
        raise PrerequisiteError("ip: not found, expected iproute2; apt-get install iproute2")
    try:
        answer = subprocess.run([where, *words], capture_output=True, text=True, timeout=BOUND_S, check=False)  # noqa: S603 - a list of words, no shell
    except subprocess.TimeoutExpired:
        raise PrerequisiteError(f"ip {' '.join(words)}: no answer within {BOUND_S:.0f} s") from None
    if answer.returncode:
        mend = "; run it as root (sudo)" if "not permitted" in answer.stderr else ""
        raise PrerequisiteError(f"ip {' '.join(words)}: {answer.stderr.strip() or answer.returncode}{mend}")
    return answer.stdout


def _interface(link: dict[str, Any], namespace: str, through: set[str]) -> Interface:
    return Interface(
        name=link["ifname"],
        namespace=namespace,
        kind=link.get("linkinfo", {}).get("info_kind", ""),
        alias=link.get("ifalias", ""),
        mtu=link.get("mtu", 0),
        up="UP" in link.get("flags", ()),
        mac=link.get("address", ""),
        master=link.get("master", ""),
        loopback="LOOPBACK" in link.get("flags", ()),
        default_route=link["ifname"] in through,
        sent=link.get("stats64", {}).get("tx", {}).get("packets", 0),
        index=link.get("ifindex", 0),
        peer=link.get("link_index", 0),
    )
