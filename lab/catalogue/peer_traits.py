"""What is known of the hosts that apps speak to, and of how they speak, as columns beside the label.

Read off compiled timelines; nothing is played, and no detector is asked. A trait is a number, a word, or None where the
host has none. DRAWN names the traits that are drawn anew under every seed, MANNERS what an app does: of those a
malicious app and its twin have the same.
"""

from __future__ import annotations

import ipaddress
import math
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from lab.authoring.plans import Scenario
from lab.behaviours import Int64, Speech
from lab.catalogue.traits import FIRST_UID, Row, row_of
from lab.protocols.tls import chain_bytes
from lab.stages.dialogues import ALPN
from lab.timeline import NAME_LOOKUP, Host, Timeline

SPOKEN = {"h2": "http2", "http/1.1": "http"}  # under TLS, by ALPN (RFC 7301, RFC 9113)
NOBODYS = ("resolver", "group", "")  # reaches of hosts that are no app's
DRAWN = frozenset(
    {
        *("address, low byte", "address, third byte", "address, parity", "address, half of the network"),
        *("round trip", "certificate", "name length", "labels of the name", "digits in the name"),
        *("hyphens in the name", "entropy of the name", "letters of the domain", "vowels of the domain"),
        *("first label", "top-level name", "TTL of the name", "seed parity", "client port", "client port parity"),
        *("microsecond", "rank among the popular", "rank in the tail"),
    }
)
MANNERS = frozenset(
    {
        *("protocol", "port", "transport", "TLS", "ALPN", "inbound", "reach", "IPv6"),
        *("method", "qtype", "path", "resumption", "SNI", "ECH", "front", "options"),
    }
)


def peer_rows(scenario: Scenario, timeline: Timeline) -> Iterator[Row]:
    """One row per app, host and way of speaking; the resolver and multicast groups are everybody's."""
    said, names = timeline.conversations, timeline.behaviours
    ttl = _ttls(timeline)
    keys = np.stack([said.app, said.host, said.speech, said.inbound]).astype(np.int64)
    _, first = np.unique(keys, axis=1, return_index=True)
    wanted = _imitating(scenario)
    for row in np.sort(first).tolist():
        host, app = timeline.hosts[said.host[row]], timeline.apps[said.app[row]]
        if names[said.behaviour[row]] == NAME_LOOKUP or app.uid < FIRST_UID:
            continue
        bad = bool(said.incident[row] >= 0)
        speech = timeline.speeches[said.speech[row]]
        traits = {
            **(_host(host, encrypted=_encrypted(speech)) if host.reach not in {*NOBODYS, "lan"} else NO_HOST),
            "TTL of the name": ttl.get(host.name),
            "rank among the popular": host.rank if host.reach == "popular" else None,
            "rank in the tail": host.rank if host.reach == "tail" else None,
            "seed parity": int(said.seed[row]) % 2,
            "client port": int(said.client_port[row]),
            "client port parity": int(said.client_port[row]) % 2,
            "microsecond": int(said.start[row] % 1_000_000),
            "reach": host.reach or "everybody's",
            "IPv6": ":" in host.address,
            **_manner(speech, inbound=bool(said.inbound[row])),
        }
        # of an app with a part, only what it does in that part is compared with its twin's
        acts = bad if scenario.analytics else not wanted or (app.package, names[said.behaviour[row]]) in wanted
        yield row_of(scenario, timeline, app.package, traits, malicious=bad, acts=acts)


def channels(timeline: Timeline) -> dict[bool, Counter[tuple[str, str]]]:
    """How many apps, malicious or not, speak each protocol (TLS as ``+tls``) and are on each transport and port."""
    said = timeline.conversations
    own = np.flatnonzero(said.behaviour != timeline.behaviours.index(NAME_LOOKUP))
    rows = np.stack([said.app[own], said.speech[own], said.inbound[own], said.incident[own] >= 0]).astype(np.int64)
    users: dict[bool, set[tuple[int, str, str]]] = {True: set(), False: set()}
    for app, spoken, inbound, bad in np.unique(rows, axis=1).T.tolist():
        manner = _manner(timeline.speeches[spoken], inbound=bool(inbound))
        ways = {"protocol": manner["protocol"], "port": f"{manner['transport']} {manner['port']}"}
        way = " inbound" if inbound else ""
        users[bool(bad)] |= {(app, kind, f"{what}{way}") for kind, what in ways.items()}
    return {bad: Counter((kind, what) for _, kind, what in found) for bad, found in users.items()}


def _imitating(scenario: Scenario) -> set[tuple[str, str]]:
    """What a benign scenario proves to be in it, by package and behaviour: that is what imitates."""
    return {
        (app.package, one.behaviour)
        for one in scenario.expectations
        for app in scenario.apps
        if one.package in ("", app.package)
    }


def _encrypted(speech: Speech) -> bool:
    return speech.tls or speech.protocol == "quic" or speech.options.get("starttls") == "1"


def _host(host: Host, *, encrypted: bool) -> dict[str, Any]:
    """Its name, address and certificate; no certificate where nothing is encrypted."""
    address = int(ipaddress.ip_address(host.address))
    return {
        "address, low byte": address & 0xFF,
        "address, third byte": address >> 8 & 0xFF,
        "address, parity": address & 1,
        "address, half of the network": address >> 16 & 1,
        "round trip": host.rtt_us,
        "certificate": chain_bytes(host.name or host.address) if encrypted else None,
        **(_name(host.name) if host.name else NO_NAME),
    }


def _name(name: str) -> dict[str, Any]:
    labels = name.split(".")
    letters, domain = Counter(name), labels[-2] if len(labels) > 1 else name
    return {
        "name length": len(name),
        "labels of the name": len(labels),
        "digits in the name": sum(letter.isdigit() for letter in name),
        "hyphens in the name": name.count("-"),
        "entropy of the name": -sum(n / len(name) * math.log2(n / len(name)) for n in letters.values()),
        "letters of the domain": len(domain),
        "vowels of the domain": sum(letter in "aeiou" for letter in domain) / len(domain),
        "first label": labels[0].rstrip("0123456789-") if len(labels) > 2 else None,
        "top-level name": labels[-1],
    }


NO_NAME: dict[str, Any] = dict.fromkeys(_name("a.b.example"))
NO_HOST: dict[str, Any] = dict.fromkeys(_host(Host("a.b.example", "198.18.0.1", 1), encrypted=True))


def _manner(speech: Speech, *, inbound: bool) -> dict[str, Any]:
    """How something is said. Names are left out: of an option that holds one only that it is there.

    Filler under TLS is what its ALPN says: nobody without the keys can tell it from that. What packets show of it, how
    large the first flights are, tests/test_no_shortcut_wire.py judges.
    """
    said = {name: value for name, value in speech.options.items() if name not in {"alpn", "carried"}}
    name = said.get("sni")
    alpn = speech.options.get("alpn", ALPN.get(speech.protocol, ""))
    looks = SPOKEN.get(alpn, "opaque") if speech.protocol == "opaque" else speech.protocol
    return {
        "protocol": f"{looks}+tls" if speech.tls else looks,
        "port": speech.port,
        "transport": _transport(speech.protocol),
        "TLS": speech.tls,
        "ALPN": alpn if speech.tls else "no TLS",
        "inbound": inbound,
        "method": said.get("method", "as its size wants"),
        "qtype": said.get("qtype", "none"),
        "path": said.get("path", "/"),
        "resumption": said.get("resume", "0"),
        "SNI": "its own" if name is None else "none" if name == "none" else "another's",
        "ECH": said.get("ech", "0"),
        "front": "host" in said,
        "options": " ".join(sorted(said)),
    }


@cache
def _transport(protocol: str) -> str:
    return str(import_module(f"lab.protocols.{protocol}").TRANSPORT)


def _ttls(timeline: Timeline) -> dict[str, int]:
    """How long each name's answer may be kept, in seconds, where somebody asked for it."""
    said = timeline.conversations
    asked = said.behaviour == timeline.behaviours.index(NAME_LOOKUP)
    pairs: Int64 = np.unique(np.stack([said.host[asked], said.speech[asked]]), axis=1).astype(np.int64)
    found = ((timeline.hosts[host].name, timeline.speeches[speech].options) for host, speech in pairs.T.tolist())
    return {name: int(options["ttl"]) for name, options in found if "ttl" in options}
