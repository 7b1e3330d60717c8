"""Who plays what in a run: phones for devices, proxies for listeners, and what nobody here can play yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lab.behaviours import nearest
from lab.errors import ScenarioError, StageError
from lab.stages.link import GROUPS, RESOLVER
from lab.stages.live.handset.handset import Kind
from lab.stages.live.pace import Course
from lab.stages.live.plan import LAN, WEB, Interception, interception
from lab.stages.live.script import Endpoint, Script
from lab.timeline import Timeline

_REWRITTEN = ("doh", "http2")  # mitmproxy cuts HTTP/2 into other frames than the plan has
#: Options of speeches that nobody has played here, and what they are when they mean nothing.
_UNSPOKEN = {"sni": "", "host": "", "ech": "0", "resume": "0", "starttls": "0", "mode": "idle"}
_PROXIES: Mapping[str, Kind] = {"socks5": "socks5", "connect": "connect"}


@dataclass(frozen=True)
class Relay:
    """A listener of an app, from and until a scenario time (us); ``last_us``: real time of its last use.

    ``kind`` is that of a proxy; None: whatever strangers say to it is answered by the script.
    """

    device: int
    uid: int
    kind: Kind | None
    port: int
    time: int
    until: int
    last_us: int = 0


@dataclass(frozen=True)
class Sight:
    """What the gateway reads and what it lets through; ``expected`` are the conversations it must have requests of."""

    interception: Interception
    pinned: tuple[tuple[str, str, int], ...]  # phone, server
    pinning: frozenset[int]  # conversations whose client trusts nobody but the server
    expected: frozenset[int]


def refuse_unplayable(scripts: Sequence[Script]) -> None:
    """StageError with everything that this stage cannot play: multicast, a resolver of streams, HTTP/2, silent clients.

    Phones here have no multicast route; the resolver speaks UDP; a server learns where a phone is from what it says.
    """
    faults = {
        "asks a multicast group": [s for s in scripts if s.server[0] in GROUPS],
        "is HTTP/2, which the gateway would put into other frames": [s for s in scripts if s.protocol in _REWRITTEN],
        "asks the network's resolver otherwise than by DNS over UDP": [
            s for s in scripts if s.server[0] == RESOLVER and s.protocol != "dns"
        ],
        "begins with datagrams of the server": [
            s for s in scripts if s.transport == "udp" and len(s.from_client) and not s.from_client[0]
        ],
    }
    told = [f"{', '.join(sorted({s.protocol for s in found}))} {why}" for why, found in faults.items() if found]
    if told:
        raise StageError(f"the live stage cannot play this: {'; '.join(told)}; play it on the wire stage")


def refuse_unspeakable(timeline: Timeline) -> None:
    """StageError names options of speeches that sockets and TLS of this stage would play otherwise than the wire does.

    Its hellos are OpenSSL's, with the server's own name and a full handshake, TLS begins with the connection, and its
    mail server has no folder of drafts.
    """
    found = sorted(
        {
            f"{speech.protocol} with {option} {speech.options[option]}"
            for speech in timeline.speeches
            for option, nothing in _UNSPOKEN.items()
            if speech.options.get(option, nothing) != nothing
        }
    )
    if found:
        raise StageError(f"the live stage cannot speak {', '.join(found)}; play it on the wire stage")


def relays_of(timeline: Timeline, scripts: Sequence[Script], courses: Mapping[int, Course]) -> list[Relay]:
    """The listeners on phones; StageError for what no phone here can listen to: datagrams and TLS."""
    strange = sorted({s.protocol for s in scripts if s.inbound and (s.transport != "tcp" or s.tls)})
    if strange:
        raise StageError(
            f"strangers speak {', '.join(strange)} into a phone by datagrams or TLS: the live stage has no server on "
            f"phones for that; play it on the wire stage"
        )
    protocols: dict[tuple[int, int, int], str] = {}
    users: dict[tuple[int, int, int], list[int]] = {}
    for script in scripts:
        if script.inbound:
            place = (script.device, script.uid, script.server[1])
            protocols[place] = script.protocol
            users.setdefault(place, []).append(script.n)
    found = []
    for listener in timeline.listeners:
        app = timeline.apps[listener.app]
        place = (app.device, app.uid, listener.port)
        used = [courses[n].close_real for n in users.get(place, ())]
        kind = _PROXIES.get(protocols.get(place, ""))
        found.append(Relay(*place[:2], kind, listener.port, listener.time, listener.until, max(used, default=0)))
    return found


def names_of(scripts: Iterable[Script]) -> dict[str, str]:
    """Every server's name and address: what a proxy on a phone must be able to look up."""
    return {script.name: script.server[0] for script in scripts if script.name and not script.inbound}


def refuse_unknown(timeline: Timeline, *, pin: Sequence[str], passthrough: Sequence[str]) -> None:
    """ScenarioError names a package or host (name or address) that is not in the scenario, and those that are."""
    packages = sorted({app.package for app in timeline.apps})
    hosts = sorted({host.name or host.address for host in timeline.hosts})
    known = {*hosts, *(host.address for host in timeline.hosts)}
    faults = [
        f"--pin {word}: no such package in the scenario; it has {', '.join(packages)}{nearest(word, packages)}"
        for word in pin
        if word not in packages
    ]
    faults += [
        f"--passthrough {word}: no such host in the scenario{nearest(word, hosts)}; droidrange scenario show lists them"
        for word in passthrough
        if word not in known
    ]
    if faults:
        raise ScenarioError(faults)


def sight(
    timeline: Timeline, scripts: Sequence[Script], *, pin: Sequence[str] = (), passthrough: Sequence[str] = ()
) -> Sight:
    """What is intercepted: all of the web, but no pinning apps (packages) and no hosts let through (names, addresses).

    TLS that an app carries for strangers is let through as well: their programs trust no certificate of this lab, and
    a gateway that took them at the protocol they name would hang up on the filler that stands for it. ScenarioError
    as ``refuse_unknown`` has it.
    """
    refuse_unknown(timeline, pin=pin, passthrough=passthrough)
    uids = {(app.device, app.uid) for app in timeline.apps if app.package in pin}
    own = {s.n for s in scripts if s.tls and not s.inbound and (s.device, s.uid) in uids}
    pinning = frozenset(own | {s.n for s in scripts if _carried(s)})
    through: set[Endpoint] = {s.server for s in scripts if {s.name, s.server[0]} & set(passthrough)}
    plain = interception(scripts)
    made = Interception(
        tuple(place for place in plain.redirect if place not in through),
        tuple(sorted({*plain.exempt, *(place for place in through if not place[0].startswith(LAN))})),
    )
    pinned = {(s.client, *s.server) for s in scripts if s.n in pinning}
    unseen = {s.n for s in scripts if s.server in through or (s.client, *s.server) in pinned}
    expected = frozenset(s.n for s in scripts if _read(s) and s.n not in unseen)
    return Sight(made, tuple(sorted(pinned)), pinning, expected)


def _carried(script: Script) -> bool:
    """Whether it is a stranger's TLS: opaque to its app, and yet with a protocol named (lab/habits/customers.py)."""
    return script.protocol == "opaque" and script.tls and bool(script.alpn) and not script.inbound


def _read(script: Script) -> bool:
    neighbour = script.server[0].startswith(LAN)
    return script.protocol in WEB and not script.inbound and not neighbour
