"""What a scenario asks for, as checked values: apps, their behaviours and lives, the background, what must be seen.

Values only: nothing is read, drawn or compiled here. Times are microseconds of the scenario unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lab.behaviours import BehaviourKind
from lab.network import PLAIN, Network

TECHNIQUES: Mapping[str, str] = {"AN1793": "T1437", "AN1702": "T1604"}  # ATT&CK Mobile 19.1


@dataclass(frozen=True)
class BehaviourPlan:
    """One behaviour of an app: its kind, its settings, and the analytic that should see it (empty: benign).

    One that is ``dormant`` has not begun: it does nothing, and still counts among those of its kind.
    """

    kind: str
    behaviour: BehaviourKind
    label: str = ""
    dormant: bool = False


@dataclass(frozen=True)
class AppPlan:
    """One app of a scenario, on how many of its devices it is installed, and from when to when.

    From ``moves`` on, its vendor's hosts and its own stand under another registrable domain. ``exempt``: its owner took
    it off the battery optimisation, as people do with messengers, VPNs, trackers; see lab/habits/firewall.py.
    """

    package: str
    label: str
    category: str
    roles: tuple[str, ...]
    sanctioned: bool
    on: int
    behaviours: tuple[BehaviourPlan, ...]
    installed: int = 0
    removed: int | None = None  # None: it stays
    moves: int | None = None  # None: never
    exempt: bool = False


@dataclass(frozen=True)
class Background:
    """How many ordinary apps each phone has besides the scenario's own, and which are left out."""

    apps: int = 0
    categories: tuple[str, ...] = ()  # empty: all
    without: tuple[str, ...] = ()  # packages and categories


@dataclass(frozen=True)
class Phones:
    """What the phones of a scenario are like. ``profiles`` are dealt out in turns, and so are ``offsets``."""

    profiles: tuple[str, ...] = ("office-worker",)
    networks: str = "wifi"  # one of NETWORK_LIVES
    private_dns: bool = False
    vpn: bool = False
    offsets: tuple[int, ...] = (0,)  # of the phones' clocks from UTC, microseconds


NETWORK_LIVES = ("wifi", "mobile", "roaming")


@dataclass(frozen=True)
class Expectation:
    """What each app with that behaviour must show on each of its devices: (at least, at most), None = unbounded."""

    behaviour: str
    package: str
    bounds: Mapping[str, tuple[float | None, float | None]]  # of contacts, conversations, bytes


@dataclass(frozen=True)
class Scenario:
    """A scenario, checked. Times in microseconds; ``start`` since the epoch, UTC."""

    name: str
    sha256: str  # of its file, and of the library of apps if it has a background
    question: str
    span: int
    start: int
    devices: int
    twin_of: str
    apps: tuple[AppPlan, ...]
    expectations: tuple[Expectation, ...]
    background: Background = Background()
    phones: Phones = Phones()
    network: Network = PLAIN
    enlarged: int = 0  # to a fleet of how many phones; 0: as written
    varied_from: str = ""  # the scenario of which a setting was turned; empty: none was
    turned: tuple[str, ...] = ()  # what was turned to what, as run --vary has it

    @property
    def alike(self) -> frozenset[tuple[str, str]]:
        """What imitates, by package and kind of behaviour: what a scenario with a twin proves of itself."""
        return frozenset((row.package, row.behaviour) for row in self.expectations if self.twin_of)

    @property
    def analytics(self) -> tuple[str, ...]:
        """The analytics with a labelled behaviour here, sorted."""
        return tuple(sorted({plan.label for app in self.apps for plan in app.behaviours if plan.label}))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of behaviour that its own apps use, sorted."""
        return tuple(sorted({plan.kind for app in self.apps for plan in app.behaviours}))
