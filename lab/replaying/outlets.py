"""The sockets a replay sends through, opened only on interfaces that lab.replaying.permit allows."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import replace

from lab.errors import PrerequisiteError, ScenarioError, StageError
from lab.replaying.interfaces import Interface, interface, interfaces
from lab.replaying.namespaces import within
from lab.replaying.permit import refusals
from lab.replaying.sender import packet_socket
from lab.replaying.wiring import far_of


def permitted(specs: Sequence[str], owned: Sequence[str], longest: int) -> list[Interface]:
    """The interfaces of these names; ScenarioError with every reason why one may not be sent on."""
    faults, found = [], []
    for spec in specs:
        one = interface(spec)
        far = _far(one) if one is not None and one.ours else ()
        faults += refusals(spec, one, owned, far=far, longest=longest)
        found.append(one)
    if faults:
        raise ScenarioError(faults)
    return [one for one in found if one is not None]


def _far(near: Interface) -> list[Interface]:
    """What is where a wire's other end should be."""
    if near.namespace:
        return list(interfaces().values())
    name = far_of(near)
    return list(interfaces(name).values()) if name else []


def opened(one: Interface, *, listens: bool = False) -> socket.socket:
    """A packet socket on an interface, wherever it is; PrerequisiteError without the right to it.

    A socket is bound by name and stays with the interface that had it then. So it is given out only if the interface
    of that name is afterwards what it was when it was permitted; StageError if another has taken its name meanwhile.
    """
    with within(one.namespace):
        try:
            made = packet_socket(one.name, listens=listens)
        except PermissionError:
            raise PrerequisiteError("raw sockets need root or CAP_NET_RAW; run it as root (sudo)") from None
    now = interface(one.spec)
    if now is None or replace(now, sent=one.sent) != one:
        made.close()
        raise StageError(f"{one.spec}: it is not the interface any more that was permitted; nothing was sent on it")
    return made
