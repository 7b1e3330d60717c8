"""The timeline: who says what to whom and when, in columns, before anything is carried on a stage.

Deterministic from (scenario, seed, droidrange version). It knows no packet, no file and no detector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lab.behaviours import Bool, Int32, Int64, Speech
from lab.network import PLAIN, Network


@dataclass(frozen=True)
class Attachment:
    """A phone on one network, until its next attachment: no conversation of the phone lasts beyond that."""

    since: int  # microseconds since the epoch; a phone's first one begins with the scenario
    network: str  # one of lab.phones.radio.NETWORKS
    address: str  # in 10.88.0.0/16
    rtt_us: int  # added to the round trip with every host
    six: str = ""  # its IPv6 address there, if the network has IPv6


@dataclass(frozen=True)
class Device:
    """A phone: its name in the inventory, its addresses on the lab network.

    ``address`` is its own for good unless it has ``attachments``: then it is the one it has at home.
    """

    name: str
    address: str  # in 10.88.0.0/16
    mac: str
    gateway_mac: str
    downlink_bps: int
    attachments: tuple[Attachment, ...] = ()
    tunnel: str = ""  # its address inside an always-on VPN, in 10.88.0.0/16
    six: str = ""  # as ``address``, in IPv6
    tunnel_six: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses that it ever has, each once, its own first."""
        plain = (*(one.address for one in self.attachments), self.tunnel)
        six = (self.six, *(one.six for one in self.attachments), self.tunnel_six)
        return tuple(dict.fromkeys((self.address, *(address for address in (*plain, *six) if address))))


@dataclass(frozen=True)
class App:
    """An app as installed on one device. Packages keep one uid per device; two devices have two rows."""

    device: int
    package: str
    label: str
    category: str
    uid: int
    sanctioned: bool
    roles: tuple[str, ...]
    agent: str  # HTTP user agent
    stack: int  # which TLS client shape its own connections have (index into the pool of lab/protocols/tls)


@dataclass(frozen=True)
class Host:
    """A server (or LAN neighbour): name, address and round trip. ``name`` is empty where it has none.

    The resolver has one row per name it is asked for: ``name`` is what is asked, ``address`` the resolver's own. The
    speech of a look-up holds what is answered: options ``qtype``, ``answer`` (the address) and ``ttl`` (seconds).
    """

    name: str
    address: str  # in 198.18.0.0/15 or 2001:db8::/32, 10.88.0.0/16 for a neighbour
    rtt_us: int
    reach: str = ""  # how it was drawn (lab.behaviours.Peer), for who looks whether that tells anything
    rank: int = -1  # its place among the popular hosts, or in the tail behind them; -1: it has none


@dataclass(frozen=True)
class Incident:
    """One labelled behaviour of one app on one device: what the truth tables are made of."""

    incident: str  # e.g. "phone-02/com.example.torchlight/http-poll"
    analytic: str  # AN1793 or AN1702
    technique: str
    behaviour: str
    twin_of: str
    app: int  # index into apps
    settings: Mapping[str, object]
    contacts: int


@dataclass(frozen=True)
class Conversations:
    """n conversations, sorted by start; times in microseconds since the epoch (scenario start added)."""

    start: Int64
    close: Int64
    app: Int32  # index into apps (and through it the device); netd's own app row carries DNS look-ups
    host: Int32  # index into hosts
    speech: Int32  # index into speeches
    inbound: Bool
    stack: Int32  # index into the TLS client pool, resolved (never -1)
    client_port: Int32
    incident: Int32  # index into incidents, -1 = benign
    behaviour: Int32  # index into behaviours
    seed: Int64  # (n,) per-conversation seed: bytes do not depend on the order of work
    tunnel: Int32 = field(default_factory=lambda: np.zeros(0, dtype=np.int32))  # row of the carrying one, -1; or empty

    @property
    def carrier(self) -> Int32:
        """(n,) the conversation in which each one travels (an always-on VPN's), -1 = none."""
        return self.tunnel if len(self.tunnel) else np.full(len(self.start), -1, dtype=np.int32)


@dataclass(frozen=True)
class Exchanges:
    """m exchanges, sorted by (conversation, time); see lab.behaviours.Batch for what a row means."""

    conversation: Int32
    time: Int64
    up: Int64
    down: Int64
    delay: Int64


@dataclass(frozen=True)
class States:
    """Device states, sorted by (device, time); a row holds until the device's next one."""

    time: Int64
    device: Int32
    screen_on: Bool
    locked: Bool
    foreground: Int32  # index into apps, -1 = launcher or nothing
    last_interaction: Int64
    power: Int32  # index into POWER_STATES


NAME_LOOKUP = "name-lookup"  # what a look-up by netd is called in the column of behaviours
ALWAYS_ON = "always-on-vpn"  # what a phone's tunnel is called there
POWER_STATES = ("interactive", "idle", "doze-light", "doze-deep", "maintenance")


@dataclass(frozen=True)
class Listener:
    """A listening socket of an app, from time to until, in microseconds since the epoch."""

    app: int
    port: int
    time: int
    until: int


@dataclass(frozen=True)
class Timeline:
    """A compiled scenario. Stages play it; truth is read off it; nothing else knows what is malicious."""

    scenario: str
    scenario_sha256: str
    seed: int
    start: int  # microseconds since the epoch, UTC
    span: int  # microseconds
    devices: tuple[Device, ...]
    apps: tuple[App, ...]
    hosts: tuple[Host, ...]
    speeches: tuple[Speech, ...]
    behaviours: tuple[str, ...]
    incidents: tuple[Incident, ...]
    conversations: Conversations
    exchanges: Exchanges
    states: States
    listeners: tuple[Listener, ...] = ()
    twin_of: str = ""  # the malicious scenario that a benign one imitates
    network: Network = PLAIN
    past: Mapping[str, float] = field(default_factory=dict)  # of the days before a scenario: Past.told
    enlarged: int = 0  # the phones of a fleet that is not as large as written

    def exchange_slices(self) -> Int64:
        """(n + 1,) offsets: exchanges of conversation i are rows [offset[i], offset[i + 1])."""
        counts = np.bincount(self.exchanges.conversation, minlength=len(self.conversations.start))
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
