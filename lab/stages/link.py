"""The link between a device and each peer: round trip, segment size, pace, TTL and MACs, by host and never by class.

Everything is an array with one row per conversation. Nothing here may look at incident, behaviour or app.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network

import numpy as np
import numpy.typing as npt

from lab.errors import StageError
from lab.stages.addresses import book_of, octets
from lab.stages.seeds import mixed
from lab.timeline import Attachment, Host, Timeline

Int64 = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

#: RFC 2544 (198.18.0.0/15), RFC 3849 (2001:db8::/32), and the lab's own devices.
ALLOWED = tuple(ip_network(net) for net in ("10.88.0.0/16", "198.18.0.0/15", "2001:db8::/32"))
LAN = ALLOWED[0]
RESOLVER = "10.88.0.1"  # of every network
GROUPS = ("224.0.0.251", "239.255.255.250")  # multicast DNS (RFC 6762) and SSDP: never routed, only ever spoken to
ALLOWED_ZONES = (".example", ".test")  # RFC 2606
HEADERS_IP = 40  # IPv4 and TCP without options
HEADERS_UDP = 28  # IPv4 and UDP
LONGER = 20  # bytes that IPv6's header has more than IPv4's
HEADERS = 54  # Ethernet II, IPv4 and TCP without options
ALIGN = 4  # bytes; segments start at multiples, so that checksums sum 32-bit words
MSS_SEEN = (1400, 1412, 1420, 1432, 1440, 1448, 1452, 1460)  # tunnels, PPPoE, plain Ethernet; multiples of ALIGN
TTL_SENT = (64, 64, 64, 128, 255)  # Linux, Windows, network gear
WINDOW = 65_535  # bytes under way to a host at most: what its SYN-ACK, which scales nothing, may grant (RFC 7323, 2.2)
UPLINK_SHARE = 4  # the uplink has a quarter of the downlink's rate, as is usual on mobile access
LEAST_RTT_US = 200
TUNNEL_HEADERS = 80  # WireGuard's usual MTU is 1420
_KNOWN = 1 << 14  # addresses that are remembered: those of a few blocks of phones
BEYOND_US = 2_000  # from a VPN's gateway to the nearest host
FOREVER = np.iinfo(np.int64).max
_SALT = 5  # of what a conversation's round trip is longer
_TIME_BITS = 42  # microseconds of a timeline below 50 days; devices above


@dataclass(frozen=True)
class Links:
    """One row per conversation."""

    rtt: Int64  # microseconds
    mss: Int64  # bytes, a multiple of ALIGN
    gap_up: Int64  # microseconds between segments the device sends back to back
    gap_down: Int64
    tcp: npt.NDArray[np.bool_]
    inbound: npt.NDArray[np.bool_]
    local: Bytes  # (n, 10) MAC, address of the device
    remote: Bytes  # (n, 10) MAC the device sends to, address of the peer
    ttl: Bytes  # (n,) TTL of the peer's packets as the device sees them
    local_port: Int64
    remote_port: Int64
    until: Int64  # when the device leaves the network it spoke on: nothing passes any more; FOREVER: never
    tunnel: Int64  # the conversation that carries it, whose packets alone are seen; -1: none
    lingers: npt.NDArray[np.bool_]  # that network can still be spoken on then: it is the mobile one
    offered: int = 1460  # the MSS that a device announces over IPv4
    book: tuple[str, ...] = ()  # IPv6 addresses; in ``local`` and ``remote`` stands the place of one, below 1.0.0.0

    @property
    def six(self) -> npt.NDArray[np.bool_]:
        """(n,) whether it is IPv6 that carries each conversation."""
        found: npt.NDArray[np.bool_] = (self.remote[:, 6] == 0) & bool(self.book)
        return found

    @property
    def room(self) -> Int64:
        """(n,) bytes that a datagram of each conversation may hold: what the MTU leaves behind the headers."""
        plain = self.offered + HEADERS_IP - HEADERS_UDP
        return plain - LONGER * self.six - np.where(self.tunnel >= 0, TUNNEL_HEADERS, 0)


def links_of(timeline: Timeline, transports: list[str]) -> Links:
    """The links of all conversations; ``transports`` says tcp or udp per speech. StageError on a forbidden peer."""
    refuse_escape(timeline)
    _refuse_answers(timeline)
    said = timeline.conversations
    device = np.array([app.device for app in timeline.apps], dtype=np.int64)[said.app]
    hosts = np.array([_host_row(host) for host in timeline.hosts], dtype=np.int64).reshape(-1, 4)[said.host]
    book = book_of(timeline)
    attached = Attached.of(timeline, book)
    six = np.array([host.address in book for host in timeline.hosts], dtype=np.int64)[said.host]
    place = attached.rows(device, said.start)
    carrier, inside = said.carrier, said.carrier >= 0
    largest = (timeline.network.mtu - HEADERS_IP - six * LONGER - np.where(inside, TUNNEL_HEADERS, 0)) & -ALIGN
    rate = np.array([machine.downlink_bps for machine in timeline.devices], dtype=np.int64)[device]
    bits = (hosts[:, 1] + HEADERS) * 8_000_000
    ports = np.array([speech.port for speech in timeline.speeches], dtype=np.int64)[said.speech]
    tcp = np.array([transport == "tcp" for transport in transports])[said.speech]
    near = np.where(inside, np.maximum(hosts[:, 0], hosts[carrier, 0] + BEYOND_US), hosts[:, 0])
    rtt, mss = near + attached.rtt[place] + _further(timeline), np.minimum(hosts[:, 1], largest)
    return Links(
        rtt=rtt,
        mss=mss,
        gap_up=np.maximum(bits * UPLINK_SHARE // rate, 1 + rtt * mss // (WINDOW - 3 * mss)),
        gap_down=np.maximum(bits // rate, 1),
        tcp=tcp,
        inbound=said.inbound,
        local=np.where(inside[:, None], _inside(timeline, book)[six, device], attached.local[six, place]),
        remote=_remote(timeline, device, book),
        ttl=hosts[:, 2].astype(np.uint8),
        local_port=np.where(said.inbound, ports, said.client_port),
        remote_port=np.where(said.inbound, said.client_port, ports),
        until=attached.until[place],
        tunnel=said.carrier.astype(np.int64),
        lingers=attached.lingers[place],
        offered=timeline.network.mtu - HEADERS_IP,
        book=tuple(book),
    )


def _further(timeline: Timeline) -> Int64:
    """(n,) what the scenario's network adds to the round trip of each conversation."""
    network, seed = timeline.network, timeline.conversations.seed
    share = (mixed(seed, _SALT) >> np.uint64(11)) * 2.0**-53
    return network.rtt_us + (share * network.jitter_us).astype(np.int64)


@dataclass(frozen=True)
class Attached:
    """On which network, so under which address, each device is at any time: one row per attachment."""

    key: Int64  # ascending: device and time since the timeline's start
    start: int
    local: Bytes  # (2, k, 10) MAC, address; the second time with the IPv6 address, if it has one
    rtt: Int64  # added by the network, microseconds
    until: Int64
    lingers: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, timeline: Timeline, book: Mapping[str, int]) -> Attached:
        """As the timeline has them; a device without attachments has one row."""
        rows = [
            (number, max(one.since - timeline.start, 0) if nth else 0, one)
            for number, machine in enumerate(timeline.devices)
            for nth, one in enumerate(machine.attachments or (Attachment(0, "", machine.address, 0, machine.six),))
        ]
        device = np.array([number for number, _, _ in rows], dtype=np.int64)
        since = np.array([since for _, since, _ in rows], dtype=np.int64)
        until = np.append(since[1:] + timeline.start, FOREVER)
        until[np.append(device[1:] != device[:-1], True)] = FOREVER
        local = [_mac(timeline.devices[number].mac) + octets(one.address, book) for number, _, one in rows]
        six = [_mac(timeline.devices[number].mac) + octets(one.six or one.address, book) for number, _, one in rows]
        return cls(
            key=(device << _TIME_BITS) + since,
            start=timeline.start,
            local=np.array([local, six], dtype=np.uint8).reshape(2, -1, 10),
            rtt=np.array([one.rtt_us for _, _, one in rows], dtype=np.int64),
            until=until,
            lingers=np.array([one.network == "mobile" for _, _, one in rows], dtype=np.bool_),
        )

    def rows(self, device: Int64, time: Int64) -> Int64:
        """The row of each device at a time; what is before the timeline's start counts as at its start."""
        key = (device << _TIME_BITS) + np.maximum(time - self.start, 0)
        return np.searchsorted(self.key, key, side="right") - 1


def _inside(timeline: Timeline, book: Mapping[str, int]) -> Bytes:
    """(2, d, 10) MAC and address, then IPv6 address, inside its tunnel of each device; its own where it has none."""
    phones = timeline.devices
    rows = [
        [_mac(phone.mac) + octets(phone.tunnel or phone.address, book) for phone in phones],
        [_mac(phone.mac) + octets(phone.tunnel_six or phone.six or phone.address, book) for phone in phones],
    ]
    return np.array(rows, dtype=np.uint8).reshape(2, -1, 10)


def refuse_escape(timeline: Timeline) -> None:
    """StageError for any address outside the lab's nets or any name outside .example and .test."""
    for device in timeline.devices:
        for address in device.addresses:
            _refuse_address(f"device {device.name}", address)
    for host in timeline.hosts:
        if host.address not in GROUPS:
            _refuse_address(f"host {host.name or host.address}", host.address)
        if host.name and not host.name.rstrip(".").endswith(ALLOWED_ZONES) and not _inside_lab(host.name):
            raise StageError(f"host {host.name}: expected a name under {' or '.join(ALLOWED_ZONES)}")


def _refuse_answers(timeline: Timeline) -> None:
    """StageError if a multicast group were to answer: who does is a neighbour, in a conversation of his own."""
    group = np.array([host.address in GROUPS for host in timeline.hosts], dtype=np.bool_)
    if not group.any():
        return
    said, x = timeline.conversations, timeline.exchanges
    if bool((group[said.host[x.conversation]] & (x.down > 0)).any()) or bool((group[said.host] & said.inbound).any()):
        raise StageError("a multicast group speaks; expected its neighbours to, each in a conversation of its own")


def _refuse_address(who: str, address: str) -> None:
    if not _inside_lab(address):
        try:
            ip_address(address)
        except ValueError:
            raise StageError(f"{who}: found address {address!r}, expected an IP address") from None
        raise StageError(f"{who}: found address {address}, expected one in {', '.join(map(str, ALLOWED))}")


@lru_cache(maxsize=_KNOWN)
def _inside_lab(text: str) -> bool:
    """Whether a text is an address of the lab's nets, as a host without a name is called by behind a translator."""
    try:
        parsed = ip_address(text)
    except ValueError:
        return False
    return any(parsed.version == net.version and parsed in net for net in ALLOWED)


@lru_cache(maxsize=_KNOWN)
def _near(address: str) -> bool:
    """Whether an address is a neighbour's."""
    return ip_address(address) in LAN


def _host_row(host: Host) -> tuple[int, int, int, int]:
    """(rtt, mss, ttl, in the LAN) of a host, drawn from its address alone."""
    draw = hashlib.sha256(host.address.encode()).digest()
    neighbour = _near(host.address)
    ttl = TTL_SENT[draw[0] % len(TTL_SENT)] - 5 - draw[1] % 16
    mss = MSS_SEEN[draw[2] % len(MSS_SEEN)]
    return max(host.rtt_us, LEAST_RTT_US), 1460 if neighbour else mss, 64 if neighbour else ttl, int(neighbour)


def _remote(timeline: Timeline, device: Int64, book: Mapping[str, int]) -> Bytes:
    """(n, 10): behind the gateway's MAC unless the peer is a neighbour, who has one of his own."""
    host = timeline.conversations.host
    packed = np.array([octets(h.address, book) for h in timeline.hosts], dtype=np.uint8).reshape(-1, 4)[host]
    macs = {address: device.mac for device in timeline.devices for address in device.addresses}
    own = np.array([_neighbour_mac(macs, h.address) for h in timeline.hosts], dtype=np.int16).reshape(-1, 6)[host]
    gateways = np.array([_mac(machine.gateway_mac) for machine in timeline.devices], dtype=np.int16)[device]
    return np.concatenate([np.where(own < 0, gateways, own).astype(np.uint8), packed], axis=1)


def _neighbour_mac(devices: Mapping[str, str], address: str) -> list[int]:
    """A LAN address's MAC: a device's own, a group's, or one drawn from the address; -1 six times for the internet."""
    if address in devices:
        return _mac(devices[address])
    if address in GROUPS:
        low = ip_address(address).packed[1:]
        return [0x01, 0x00, 0x5E, low[0] & 0x7F, *low[1:]]  # RFC 1112 section 6.4
    if not _near(address) or address.endswith(".0.1"):
        return [-1] * 6
    return [0x02, *hashlib.sha256(address.encode()).digest()[:5]]


def _mac(text: str) -> list[int]:
    return [int(octet, 16) for octet in text.split(":")]
