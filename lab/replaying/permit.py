"""Whether a replay may send on an interface. Pure, and the only place where that is decided.

Allowed is a veth into the lab's own namespace, or a dummy or tap, that bears the lab's label, and that no default route
and no bridge leads on from. All else is refused, unless its owner has named exactly that interface with
--i-own-this-network.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lab.replaying.interfaces import LABEL, Interface

KINDS = ("veth", "dummy", "tun")  # a tap is a tun to the kernel
OWN = "--i-own-this-network"
WIRE = "droidrange lab wire up makes one, dr-wire0"


def refusals(
    spec: str, found: Interface | None, owned: Sequence[str], *, far: Collection[Interface] = (), longest: int = 0
) -> list[str]:
    """Why nothing may be sent on the interface named ``spec``, each reason with what mends it; empty if it may.

    ``found`` is None where there is none. ``far`` are the interfaces where the lab's other end of it would be: of one
    here those of the namespace that its label names, of one there those here. ``longest`` is the longest frame.
    """
    if found is None:
        return [f"--interface {spec}: no such interface; {WIRE}"]
    reasons = [] if spec in owned else _strange(found, far)
    named = f", or name it exactly: {OWN} {spec}"
    faults = [f"--interface {spec}: {reason}; {WIRE}{named}" for reason in reasons[:1]]
    if not found.up:
        faults.append(f"--interface {spec}: it is down; ip link set {found.name} up")
    if longest > found.mtu + _HEADERS:
        need = longest - _HEADERS
        faults.append(
            f"--interface {spec}: its MTU is {found.mtu}, frames need {need}; droidrange lab wire up --mtu {need}, "
            f"or ip link set {found.name} mtu {need} (and its other end)"
        )
    return faults


_HEADERS = 14 + 4  # Ethernet and one VLAN tag, which the kernel lets pass (packet(7))


def _strange(found: Interface, far: Collection[Interface]) -> list[str]:
    """What tells an interface from one of the lab, the gravest first."""
    reasons = []
    if found.default_route:
        reasons.append("the default route leaves through it")
    if found.loopback:
        reasons.append("it is the loopback of this machine")
    if found.kind not in KINDS:
        reasons.append(f"found {found.kind or 'hardware'}, expected a {', '.join(KINDS[:-1])} or tap")
    if not found.ours:
        reasons.append(f"found {f'alias {found.alias!r}' if found.alias else 'no alias'}, expected the lab's {LABEL!r}")
    if found.master:
        reasons.append(f"it is a port of {found.master}, which leads on")
    return reasons + (_beyond(found, far) if found.kind == "veth" else [])


def _beyond(found: Interface, far: Collection[Interface]) -> list[str]:
    """What is wrong with the other end of a veth: it must be the lab's, and nothing may lead on from it.

    Which end it is, only the kernel's numbers say: each end knows the other's.
    """
    ends = (one for one in far if found.peer and (one.index, one.peer) == (found.peer, found.index))
    other = next((one for one in ends if one.ours and not one.loopback), None)
    if other is None:
        return ["its other end is not " + ("the lab's" if found.namespace else "in the lab's namespace")]
    if found.namespace:
        leads = other.master or ("the default route" if other.default_route else "")
        return [f"its other end {other.spec} belongs to {leads}, a way out"] if leads else []
    return [
        f"its other end lies in a namespace with {one.spec}, a way out"
        for one in far
        if not (one.ours or one.loopback or one.kind == "bridge")
    ]
