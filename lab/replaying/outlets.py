"""The sockets a replay sends through, opened only on interfaces that lab.replaying.permit allows."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from lab.errors import PrerequisiteError, ScenarioError
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
        far = () if one is None or one.namespace or not one.ours else _far(one)
        faults += refusals(spec, one, owned, far=far, longest=longest)
        found.append(one)
    if faults:
        raise ScenarioError(faults)
    return [one for one in found if one is not None]


def _far(near: Interface) -> list[Interface]:
    """What is in the namespace of a wire's other end."""
    name = far_of(near)
    return list(interfaces(name).values()) if name else []


def opened(one: Interface, *, listens: bool = False) -> socket.socket:
    """A packet socket on an interface, wherever it is; PrerequisiteError without the right to it."""
    with within(one.namespace):
        try:
            return packet_socket(one.name, listens=listens)
        except PermissionError:
            raise PrerequisiteError("raw sockets need root or CAP_NET_RAW; run it as root (sudo)") from None
