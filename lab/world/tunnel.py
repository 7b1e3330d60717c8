"""An always-on VPN: every phone's traffic goes through one WireGuard tunnel to the enterprise's gateway.

The conversations stay what they are; each says in ``tunnel`` which conversation carries it, and is spoken from the
phone's address inside the tunnel. A tunnel conversation lasts as long as the phone stays on a network. It says no more
than its handshakes, anew when something is said 120 s or more after the last (REKEY_AFTER_TIME of the WireGuard
whitepaper, section 6.1); stages add what it carries. Neighbours are reached beside the tunnel, as profiles that exclude
the local network do. The owner is Android's own VPN service (AID_VPN 1016, android_filesystem_config.h).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np

from lab.behaviours import SECOND, Int64, Speech
from lab.seeds import generator
from lab.timeline import ALWAYS_ON, App, Conversations, Device, Exchanges, Timeline
from lab.world.cast import RESOLVER, Cast
from lab.world.dual_stack import six_of_phone
from lab.world.grouped import by_device

VPN_UID = 1016
PORT = 51_820  # of the gateway; WireGuard's usual one
OWN_PORT = 61_820  # of the phone, which keeps it: outside the range that other sockets draw from
REKEY = 120 * SECOND
AHEAD = 300_000  # microseconds from the handshake to what needed it, at least a round trip
INITIATION, RESPONSE = 148, 92  # bytes, see lab.protocols.datagram
THINKING = 400  # microseconds, the gateway's


@dataclass
class _Tunnels:
    """Tunnel conversations in the making, in the timeline's times; ``carried`` has a row per conversation inside."""

    carried: Int64
    device: list[int] = field(default_factory=list)
    close: list[int] = field(default_factory=list)
    shakes: list[Int64] = field(default_factory=list)  # times of handshakes, ascending, at least one


def tunnelled(timeline: Timeline, cast: Cast, first: int = 0, when: tuple[str, ...] = ()) -> Timeline:
    """The timeline with its conversations in tunnels; ``cast`` is the one that it was made with.

    ``first`` is the scenario's number of its first phone; ``when`` ends the keys of what is drawn of its days.
    """
    devices = tuple(
        _inside(phone, cast.device_address(number, "tunnel")) for number, phone in enumerate(timeline.devices, first)
    )
    gateway, found = cast.hosts[cast.host("literal", "vpn gateway")], _tunnels(timeline)
    n, device = len(found.device), np.array(found.device, dtype=np.int64)
    constant = {"host": len(timeline.hosts), "speech": len(timeline.speeches), "inbound": 0, "stack": 0}
    constant |= {"client_port": OWN_PORT, "incident": -1, "behaviour": len(timeline.behaviours), "tunnel": -1}
    outer = {name: np.full(n, value) for name, value in constant.items()}
    outer["start"] = np.array([int(times[0]) for times in found.shakes], dtype=np.int64)
    outer["close"] = np.array(found.close, dtype=np.int64)
    outer["app"] = len(timeline.apps) + device
    outer["seed"] = generator(*cast.key, "tunnel", *([first] if first else []), *when).integers(0, 2**62, n)
    apps = [App(number, "vpn", "VPN", "system", VPN_UID, True, ("vpn",), "", 0) for number in range(len(devices))]
    whole = replace(
        timeline,
        devices=devices,
        apps=(*timeline.apps, *apps),
        hosts=(*timeline.hosts, gateway),
        speeches=(*timeline.speeches, Speech("datagram", port=PORT)),
        behaviours=(*timeline.behaviours, ALWAYS_ON),
    )
    return _merged(whole, replace(timeline.conversations, tunnel=found.carried.astype(np.int32)), outer, found.shakes)


def _inside(phone: Device, address: str) -> Device:
    return replace(phone, tunnel=address, tunnel_six=six_of_phone(address, "tunnel") if phone.six else "")


def _tunnels(timeline: Timeline) -> _Tunnels:
    """One tunnel for each phone and network on which it says anything."""
    said, words = timeline.conversations, timeline.exchanges
    device = np.array([app.device for app in timeline.apps], dtype=np.int64)[said.app]
    beside = np.array([_beside(host.address) for host in timeline.hosts], dtype=np.bool_)[said.host]
    device = np.where(beside, -1, device)
    found = _Tunnels(np.full(len(said.start), -1, dtype=np.int64))
    talks, spoken = (by_device(of, len(timeline.devices)) for of in (device, device[words.conversation]))
    for number, phone in enumerate(timeline.devices):
        mine = talks[number]
        busy = np.sort(np.concatenate([said.start[mine], words.time[spoken[number]]]))
        since = np.array([one.since for one in phone.attachments] or [timeline.start], dtype=np.int64)
        until = np.append(since[1:], timeline.start + timeline.span - 1)
        for begin, end in zip(since.tolist(), until.tolist(), strict=True):
            active = busy[np.searchsorted(busy, begin) : np.searchsorted(busy, end, side="right")]
            if len(active):
                found.carried[mine[(said.start[mine] >= begin) & (said.start[mine] <= end)]] = len(found.device)
                found.device.append(number)
                found.close.append(end)
                found.shakes.append(np.maximum(_rekeyed(active) - AHEAD, begin))
    return found


def _beside(address: str) -> bool:
    """Whether a host is reached beside the tunnel: a neighbour or a multicast group."""
    return address != RESOLVER and not address.startswith(("198.", "2001:"))


def _rekeyed(active: Int64) -> Int64:
    """Those of the times at which a handshake is due."""
    found, at = [], 0
    while at < len(active):
        found.append(int(active[at]))
        at = int(np.searchsorted(active, active[at] + REKEY))
    return np.array(found, dtype=np.int64)


def _merged(timeline: Timeline, said: Conversations, outer: dict[str, Int64], shakes: list[Int64]) -> Timeline:
    """The timeline with the tunnels among its conversations, in the order of time, and ``tunnel`` as rows of those."""
    before = len(said.start)
    columns = {
        one.name: np.concatenate([getattr(said, one.name), outer[one.name]]).astype(getattr(said, one.name).dtype)
        for one in fields(Conversations)
    }
    order = np.argsort(columns["start"], kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    whole = Conversations(**{name: column[order] for name, column in columns.items()})
    tunnel = np.where(whole.tunnel >= 0, rank[np.maximum(whole.tunnel, 0) + before], -1).astype(np.int32)
    words = timeline.exchanges
    of = np.concatenate([words.conversation, before + np.repeat(np.arange(len(shakes)), [len(one) for one in shakes])])
    time = np.concatenate([words.time, *shakes])
    count = len(time) - len(words.time)
    sizes = ((words.up, INITIATION), (words.down, RESPONSE), (words.delay, THINKING))
    sort = np.lexsort((time, rank[of]))
    rest = (np.concatenate([column, np.full(count, value)])[sort] for column, value in sizes)
    exchanges = Exchanges(rank[of][sort].astype(np.int32), time[sort], *rest)
    return replace(timeline, conversations=replace(whole, tunnel=tunnel), exchanges=exchanges)
