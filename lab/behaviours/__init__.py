"""What an app does on the network: each file here is one behaviour, its settings and its pure plan.

A behaviour is a frozen dataclass named ``Behaviour`` in ``lab/behaviours/<kind with _ for ->.py``. Its fields are
its settings (units in the name or a duration in seconds; see ``setting``), its ``plan(rng, window)`` returns a Batch
of arrays in scenario time. No socket, clock, file, engine; never a look at detector/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
Bool = npt.NDArray[np.bool_]

SECOND = 1_000_000  # scenario time is int64 microseconds from the scenario's start


@dataclass(frozen=True)
class Peer:
    """The kind of host a behaviour talks to; the timeline draws its name and address from shared pools.

    ``reach``: ``popular`` = drawn from the hosts every device uses (CDN, API, web); ``vendor`` = one host per package,
    the same on all devices; ``own`` = one per device (self-hosted, per-tenant); ``literal`` = an address without a
    name; ``resolver`` = the device's DNS resolver, asked for names under a zone of the package's vendor (the host then
    carries the ZONE as its name and the resolver's address); ``lan`` = a neighbour on the device's own network;
    ``tail`` = a web host of the long tail, seldom one that another device uses; ``tenant`` = the enterprise's host in
    the vendor's zone, one for all its devices; ``fresh`` = a registrable domain that nobody else has;
    ``group`` = the multicast group of the protocol spoken with it (ssdp, mdns). A group never answers: each neighbour
    that does is a ``lan`` peer in a conversation of its own, of the same protocol, whose exchanges have no ``up``; the
    timeline sends it to the port that asked last. ``local`` = the domain of the network that the phones are in, in
    which nobody has a name.

    ``made`` is a label that the app makes up by itself: the host is called so under its vendor's domain, or with reach
    ``fresh`` its registrable domain is; whoever makes the same label of the same reach and package has the same host.
    ``void``: there is no such name. The phone's resolver is asked for it at each conversation's start, and answers
    NXDOMAIN (RFC 1035 section 4.1.1); nothing else of the conversation takes place.

    ``passing``: met by chance, or in its turn only; on other days another host is.
    """

    reach: str = "vendor"
    made: str = ""
    void: bool = False
    passing: bool = False


@dataclass(frozen=True)
class Speech:
    """How conversations are carried: file lab/protocols/<protocol>.py, under TLS or not, to which server port.

    An option value ``@3:443`` stands for the batch's peer 3: the timeline puts ``name-or-address:443`` there. What a
    protocol says to set up (an upgrade, a greeting, a log-in) it says when the conversation opens, without exchanges.
    """

    protocol: str
    tls: bool = False
    port: int = 443
    options: Mapping[str, str] = field(default_factory=dict)  # read by the protocol, e.g. method, qtype


@dataclass(frozen=True)
class Batch:
    """Conversations of one behaviour on one device, n of them, and their m exchanges, in scenario microseconds.

    In an exchange the CLIENT (whoever opened the conversation) sends ``x_up`` bytes at ``x_time``; the server answers
    ``x_down`` bytes ``x_delay`` later plus the round trip. Either may be 0: a pure push, a one-way message. Sizes are
    bytes of the protocol (headers included, TLS and TCP not); a protocol that needs more than asked uses its minimum.
    """

    speeches: tuple[Speech, ...]
    peers: tuple[Peer, ...]
    start: Int64  # (n,) first SYN or datagram
    close: Int64  # (n,) FIN; >= last exchange. The stage may add round trips
    speech: Int32  # (n,) index into speeches
    peer: Int32  # (n,) index into peers
    inbound: Bool  # (n,) True: the peer connects to the device
    stack: Int32  # (n,) TLS client shape: -1 = the app's own, k >= 0 = k-th foreign one (relayed customers)
    x_conversation: Int64  # (m,) index into 0..n-1
    x_time: Int64  # (m,) ascending within a conversation
    x_up: Int64  # (m,)
    x_down: Int64  # (m,)
    x_delay: Int64  # (m,)
    listen: tuple[tuple[int, int, int], ...] = ()  # (time, until, TCP port) of listening sockets

    @property
    def contacts(self) -> int:
        """How many times the app was in contact with a peer: the number of exchanges, those with nobody left out."""
        return len(self.x_time) - int(np.count_nonzero(self.void[self.x_conversation]))

    @property
    def void(self) -> Bool:
        """(n,) whether each conversation is with a name that nobody has: it is asked for, and that is all."""
        found: Bool = np.array([peer.void for peer in self.peers], dtype=np.bool_)[self.peer]
        return found

    def only(self, kept: Bool) -> Batch:
        """The conversations of that mask (n,), renumbered, with their exchanges."""
        number, rows = np.cumsum(kept) - 1, kept[self.x_conversation]
        heads = {name: getattr(self, name)[kept] for name in ("start", "close", "speech", "peer", "inbound", "stack")}
        words = {name: getattr(self, name)[rows] for name in ("x_time", "x_up", "x_down", "x_delay")}
        return replace(self, **heads, **words, x_conversation=number[self.x_conversation[rows]])


def _never() -> Int64:
    return np.zeros((0, 2), dtype=np.int64)


@dataclass(frozen=True)
class Window:
    """What a behaviour may know when it plans: the span and the device's day, never another app's traffic.

    Intervals are (k, 2) int64 arrays of [from, until) in scenario microseconds, ascending, disjoint.
    """

    span: int
    foreground: Int64  # when THIS app is in the foreground
    unlocked: Int64
    screen_on: Int64
    doze: Int64  # Doze without its maintenance windows
    maintenance: Int64  # Doze maintenance windows
    charging: Int64 = field(default_factory=_never)
    wifi: Int64 = field(default_factory=_never)  # on an unmetered network; else on the mobile one
    #: (k, 3) rows [from, until, bucket]: THIS app's App Standby bucket (10, 20, 30, 40, 45); no row = no quota.
    standby: Int64 = field(default_factory=lambda: np.zeros((0, 3), dtype=np.int64))
    midnight: int = 0  # the last midnight at or before the start where the phone is, scenario microseconds, <= 0
    today: int = 0  # the date of that midnight, in days since 1970-01-01 (a Thursday)
    built_in: int = 0  # a number of 32 bits that this behaviour of the package has on all phones alike
    exempt: bool = False  # THIS app's right: off the battery optimisation, so that Doze leaves it the network

    @property
    def barred(self) -> Int64:
        """When THIS app has no network: all of Doze, unless it is exempt."""
        return self.doze[:0] if self.exempt else self.doze


class BehaviourKind(Protocol):
    """A behaviour: frozen settings and a pure plan."""

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """The conversations of this behaviour on one device; the same rng state gives the same batch."""
        ...


def setting(
    default: Any,
    *,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    source: str = "",
) -> Any:
    """A dataclass field that is a setting: ``unit`` "s" makes it a duration (written "5m"), "B" bytes; bounds included.

    ``source`` says where the default or the bounds come from.
    """
    known = {"unit": unit, "minimum": minimum, "maximum": maximum, "choices": choices, "source": source}
    return field(default=default, metadata=known)


def nearest(word: str, known: list[str], most: int = 1) -> str:
    """The hint ``; did you mean 'x'?`` for the ``most`` known words most like this one, or nothing.

    >>> nearest("perod", ["period", "jitter"])
    "; did you mean 'period'?"
    >>> nearest("pol", ["poll", "polls", "jitter"], 5)
    "; did you mean 'poll' or 'polls'?"
    """
    from difflib import get_close_matches

    found = " or ".join(f"'{one}'" for one in get_close_matches(word, known, n=most))
    return f"; did you mean {found}?" if found else ""
