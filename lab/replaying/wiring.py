"""The lab's own wire: a network namespace without a way out, and veth pairs that lead into it.

NAME0 is here and NAME1 in namespace NAME, where sensors listen; a second leg is NAME2 and NAME3, for what stands in
line between both. Every end bears a label with the wire's number; what does not bear it is never taken down.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.errors import PrerequisiteError, ScenarioError
from lab.replaying.interfaces import LABEL, Interface, interfaces, namespaces, told

USUAL = "dr-wire"
NAME = re.compile(r"[a-z][a-z0-9-]{0,11}")  # with a digit behind it within the 15 characters of an interface
LEGS = (1, 2)
USUAL_MTU = 1500

Say = Callable[[str], object]


@dataclass(frozen=True)
class Wire:
    """A wire that stands, or what is left of one: its ends here and in its namespace."""

    name: str
    near: tuple[Interface, ...]
    far: tuple[Interface, ...]
    others: tuple[Interface, ...]  # in its namespace, made by somebody else
    namespace: bool  # whether its namespace is there and bears the label

    @property
    def whole(self) -> bool:
        """Whether every end has its other one."""
        return self.namespace and bool(self.near) and len(self.near) == len(self.far)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "wire": self.name,
            "namespace": self.name if self.namespace else None,
            "legs": [{"interface": one.name, "mtu": one.mtu, "sent": one.sent} for one in self.near],
            "listen": [one.spec for one in self.far],
            "others": [one.spec for one in self.others],
            "whole": self.whole,
        }


def wires() -> list[Wire]:
    """Every wire of the lab on this machine, and what is left of broken ones."""
    here = [one for one in interfaces().values() if one.ours and not one.loopback]
    called = {_of(one) for one in here} | {name for name in namespaces() if _labelled(name)}
    return [_wire(name, here) for name in sorted(called)]


def up(name: str = USUAL, *, legs: int = 1, mtu: int = USUAL_MTU) -> Wire:
    """Makes a wire, whole or not at all; one that stands as asked for is left as it is.

    Raises ScenarioError for a name no interface can have, or a wire or anything else of that name that is another;
    PrerequisiteError without the right to make one.
    """
    if not NAME.fullmatch(name):
        raise ScenarioError([f"--name: found {name!r}, expected {NAME.pattern}"])
    found = next((one for one in wires() if one.name == name), None)
    if found and found.whole and len(found.near) == legs and all(one.mtu == mtu for one in found.near):
        return found
    if found:
        raise ScenarioError([f"{name}: another wire of that name is there; droidrange lab wire down {name}"])
    _refuse_foreign(name, legs)
    try:
        _make(name, legs, mtu)
    except BaseException:
        _unmake(name)
        raise
    return next(one for one in wires() if one.name == name)


def down(names: list[str] | None = None) -> list[str]:
    """Takes down these wires, or all; returns their names.

    Only ends and namespaces with the lab's label go. Raises ScenarioError for a name that is no wire, before anything
    is taken down, and for a namespace in which somebody else has put an interface.
    """
    there = {one.name: one for one in wires()}
    chosen = names or sorted(there)
    faults = [f"{name}: no such wire; found {', '.join(there) or 'none'}" for name in chosen if name not in there]
    faults += [
        f"{name}: found {', '.join(one.spec for one in there[name].others)} in its namespace, which is not the lab's; "
        f"ip -n {name} link del ... first"
        for name in chosen
        if name in there and there[name].others
    ]
    if faults:
        raise ScenarioError(faults)
    for name in chosen:
        _unmake(name)
    return chosen


def _of(one: Interface) -> str:
    """The wire that an end belongs to, told by its label."""
    return one.alias.removeprefix(LABEL).strip() or one.name


def _labelled(namespace: str) -> bool:
    """Whether the lab made the namespace: its loopback says so."""
    try:
        return any(one.loopback and one.ours for one in interfaces(namespace).values())
    except PrerequisiteError:  # a name that nothing is bound to any more, or no right to look
        return False


def _wire(name: str, here: list[Interface]) -> Wire:
    there = list(interfaces(name).values()) if name in namespaces() and _labelled(name) else []
    strangers = [one for one in there if not one.ours and not one.loopback and one.kind != "bridge"]
    near = tuple(sorted((one for one in here if _of(one) == name), key=lambda one: one.name))
    far = tuple(sorted((one for one in there if one.ours and not one.loopback), key=lambda one: one.name))
    return Wire(name, near, far, tuple(strangers), namespace=bool(there))


def _refuse_foreign(name: str, legs: int) -> None:
    taken = [f"{name}{number}" for number in range(0, 2 * legs, 2) if f"{name}{number}" in interfaces()]
    taken += [f"namespace {name}"] if name in namespaces() else []
    if taken:
        raise ScenarioError([f"{', '.join(taken)}: there already, and not the lab's; give another --name"])


def _make(name: str, legs: int, mtu: int) -> None:
    told("netns", "add", name)
    try:
        told("-n", name, "link", "set", "lo", "alias", f"{LABEL} {name}")
    except BaseException:
        told("netns", "del", name)  # without its label nobody would know it for ours
        raise
    for number in range(0, 2 * legs, 2):
        near, far = f"{name}{number}", f"{name}{number + 1}"
        told("link", "add", near, "mtu", str(mtu), "type", "veth", "peer", "name", far, "mtu", str(mtu), "netns", name)
        for within, end in (([], near), (["-n", name], far)):
            told(*within, "link", "set", end, "alias", f"{LABEL} {name}")
            told(*within, "link", "set", end, "addrgenmode", "none")  # nothing of our own speaks on it
            told(*within, "link", "set", end, "arp", "off", "up")


def _unmake(name: str) -> None:
    """Removes what bears the label of the wire; what is already gone is no fault."""
    for one in interfaces().values():
        if one.ours and _of(one) == name:
            told("link", "del", one.name)
    if name in namespaces() and _labelled(name):
        told("netns", "del", name)


def far_of(near: Interface) -> str | None:
    """The namespace of the wire that an end here belongs to; None if there is none."""
    name = _of(near)
    return name if name in namespaces() and _labelled(name) else None


def far_end(near: Interface) -> str | None:
    """Where what is sent on a wire's near end comes out, as NAMESPACE/NAME; None if that is no near end."""
    name = far_of(near)
    number = near.name.removeprefix(name or "\0")
    return f"{name}/{name}{int(number) + 1}" if name and number.isdecimal() and not near.namespace else None
