"""Who may relay, and how bad it is that somebody does: roles, shapes of relaying they explain, and severity.

A role is not a blank cheque: casting explains callers of the local network and one destination, not a tunnel to a
gateway; a VPN explains traffic of the device's own apps, not of strangers. What a role does not explain alerts.
"""

from __future__ import annotations

from dataclasses import dataclass

from detector.inventory import Installed
from detector.thresholds import RelayThresholds

FEW = 3  # destinations that one purpose explains
LEVELS = ("low", "medium", "high")
SIGN = 0.5  # from there on a share counts as a sign


@dataclass(frozen=True)
class Shape:
    """How an app relays: by which way in, to how many destinations, and whose. None: unknown."""

    entrance: str  # "nearby": sessions from the local network, "far": from elsewhere, "dialled": a peer it dialled
    destinations: int
    requested: float | None = None  # share of the destinations that other apps of the device contact as well

    def needs(self, *, known: bool = False) -> frozenset[str]:
        """What a role must explain; of what was ``known`` to relay only how it is reached, not how far it goes."""
        many = {"many"} if self.destinations > FEW and not known else set()
        return frozenset({self.entrance} | many)


def excuse(app: Installed | None, shapes: list[Shape] | None, limits: RelayThresholds, *, known: bool) -> str | None:
    """Why relaying of these shapes is allowed to the app, as a phrase; None if it is not.

    Without shapes no role is asked: it is known that the app did not relay before. ``known``: that it did, which the
    device says itself, and an approval covers; neither suffices alone. Nor does a role's way in with more destinations
    than it explains: with a known past it does.
    """
    if app is None:
        return None
    if app.package in limits.allowed_app_list:
        return f"{app.package} is in AllowedAppList"
    if shapes is None:
        return None
    for role in sorted(app.roles & limits.allowed_roles):
        explained = limits.role_shapes.get(role, frozenset())
        if all(shape.needs(known=known) <= explained or _own(shape, explained) for shape in shapes):
            return f"the inventory gives it the role {role}, which explains this way of relaying"
    if known and app.sanctioned:
        return "the inventory sanctions it, and it relayed while the baseline was learned"
    return None


def _own(shape: Shape, explained: frozenset[str]) -> bool:
    """Whether a role explains the traffic of the device's own apps, and these apps ask for the same destinations."""
    return "local" in explained and shape.requested is not None and shape.requested >= 0.5


@dataclass(frozen=True)
class Circumstances:
    """What makes relaying worse. ``granted``: a request that was read on the wire was fulfilled."""

    granted: bool
    carried_out: bool  # and the app connected on, or had dialled out to be asked
    bridged: bool
    unattended: float | None
    setup: float | None
    novelty: float | None  # None: no baseline


def severity(about: Circumstances) -> str:
    """low, medium or high: a point for each of what was seen, one more where the baseline calls it new.

    Without a baseline a bridge alone is never high: only what was read on the wire is sure without one. What the app
    did before as well is not high either.

    >>> severity(Circumstances(False, False, True, 1.0, 0.0, None))
    'medium'
    """
    known = about.novelty is not None and about.novelty < SIGN
    if about.granted and (about.carried_out or about.bridged) and not known:
        return "high"
    points = int(about.granted) + int(about.bridged and (about.unattended or 0.0) >= SIGN)
    points += int(about.bridged and (about.setup or 0.0) > 0) + int((about.novelty or 0.0) >= SIGN)
    if about.novelty is None and not about.granted:
        points = min(points, 1)
    return LEVELS[min(points, 1 if known else 2)]


def allowed_score(score: float, limits: RelayThresholds) -> float:
    """What is left of the score of something that is allowed: less by ``allowed_relief``, and below the threshold.

    Order stays: what would have scored more is told first, and never before what alerts.
    """
    return min(score * (1 - limits.allowed_relief), score * limits.threshold)
