"""What is known of apps and of the hosts they speak to besides how they behave, as columns beside the label.

Read off compiled timelines; nothing is played, and no detector is asked. A trait is a number, a word, or None where the
app or host has none. DRAWN names the traits that are drawn anew under every seed; the others
stand in files.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from lab.authoring.background import background_apps
from lab.authoring.plans import AppPlan, Scenario
from lab.behaviours import Int64, Speech
from lab.timeline import NAME_LOOKUP, Timeline

FIRST_UID = 10_000  # AID_APP_START: what is below belongs to the system, such as its resolver
NOBODYS = ("resolver", "group", "")  # reaches of hosts that are no app's


@dataclass(frozen=True)
class Row:
    """One app, or one app and host: whose it is, and whether it is labelled."""

    pair: str  # the malicious scenario, for its twin too
    scenario: str
    seed: int
    package: str
    malicious: bool
    acts: bool  # whether it plays its app's part here, if that has one (``parts_of``)
    traits: Mapping[str, Any]


#: Traits drawn per seed; all others are written in a scenario or in the library.
DRAWN = frozenset(
    {
        *("uid", "uid parity", "position on the device", "TLS stack", "user agent", "device", "device address"),
        *("first client port", "first second of its minute", "first microsecond"),
        *("address, low byte", "address, parity", "address, half of the network", "round trip", "name length"),
        *("labels of the name", "digits in the name", "hyphens in the name", "first label", "top-level name"),
        *("TTL of the name", "seed parity", "client port", "client port parity", "microsecond"),
        *("rank among the popular", "rank in the tail"),
    }
)


def parts_of(scenarios: Iterable[Scenario]) -> dict[str, frozenset[str]]:
    """For each scenario with a twin, and each twin, the packages that play the part: labelled, or imitating those.

    Imitating are the apps that only the twin has, and those labelled in the other and innocent here.
    """
    known = {one.name: one for one in scenarios}
    found: dict[str, frozenset[str]] = {}
    for twin in known.values():
        other = known.get(twin.twin_of)
        if other is None:
            continue
        guilty = frozenset(app.package for app in other.apps if any(row.label for row in app.behaviours))
        common = {app.package for app in other.apps} - guilty
        found[other.name] = guilty
        found[twin.name] = frozenset(app.package for app in twin.apps if app.package not in common)
    return found


def app_rows(scenario: Scenario, timeline: Timeline) -> Iterator[Row]:
    """One row per installed app, silent ones too."""
    said = timeline.conversations
    first_seen = np.full(len(timeline.apps), -1, dtype=np.int64)
    first_seen[said.app[::-1]] = np.arange(len(said.start))[::-1]
    first_app = np.searchsorted([app.device for app in timeline.apps], [app.device for app in timeline.apps])
    on = Counter(app.package for app in timeline.apps)
    malicious = {incident.app for incident in timeline.incidents}
    plans = _plans(scenario, timeline)
    for number, app in enumerate(timeline.apps):
        if app.uid < FIRST_UID:
            continue
        plan = plans.get((app.device, app.package)) or plans[-1, app.package]
        first = int(first_seen[number])
        traits = {
            "uid": app.uid,
            "uid parity": app.uid % 2,
            "position on the device": number - int(first_app[number]),
            "TLS stack": app.stack,
            "user agent": app.agent,
            "device": app.device,
            "device address": _low(timeline.devices[app.device].address),
            "first client port": int(said.client_port[first]) if first >= 0 else None,
            "first second of its minute": int(said.start[first] // 1_000_000 % 60) if first >= 0 else None,
            "first microsecond": int(said.start[first] % 1_000_000) if first >= 0 else None,
            "on how many devices": on[app.package],
            "installed late": plan.installed > 0,
            "moves": plan.moves is not None,
            "behaviours": len(plan.behaviours),
            **_inventory(app.package, app.label),
            "category": app.category,
            "role": " ".join(app.roles),
            "roles": len(app.roles),
            "sanctioned": app.sanctioned,
        }
        yield _row(scenario, timeline, app.package, traits, malicious=number in malicious)


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
            **(_host(host.name, host.address, host.rtt_us) if host.reach not in {*NOBODYS, "lan"} else NO_HOST),
            "TTL of the name": ttl.get(host.name),
            "rank among the popular": host.rank if host.reach == "popular" else None,
            "rank in the tail": host.rank if host.reach == "tail" else None,
            "seed parity": int(said.seed[row]) % 2,
            "client port": int(said.client_port[row]),
            "client port parity": int(said.client_port[row]) % 2,
            "microsecond": int(said.start[row] % 1_000_000),
            "reach": host.reach or "everybody's",
            **_manner(speech, inbound=bool(said.inbound[row])),
        }
        # of an app with a part, only what it does in that part is compared with its twin's
        acts = bad if scenario.analytics else not wanted or (app.package, names[said.behaviour[row]]) in wanted
        yield _row(scenario, timeline, app.package, traits, malicious=bad, acts=acts)


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


def _row(
    scenario: Scenario,
    timeline: Timeline,
    package: str,
    traits: Mapping[str, Any],
    *,
    malicious: bool,
    acts: bool = True,
) -> Row:
    pair = scenario.twin_of or scenario.name
    return Row(pair, scenario.name, timeline.seed, package, malicious, acts, traits)


def _plans(scenario: Scenario, timeline: Timeline) -> dict[tuple[int, str], AppPlan]:
    """The plan of each app by device and package; a scenario's own ones are the same on all devices (-1)."""
    own = {(-1, app.package): app for app in scenario.apps}
    if not scenario.background.apps:
        return own
    key, names = (timeline.seed, scenario.name), frozenset(app.package for app in scenario.apps)
    found = background_apps(key, scenario.background, names, scenario.devices, scenario.span)
    return own | {(device, plan.package): plan for device, plans in enumerate(found) for plan in plans}


def _imitating(scenario: Scenario) -> set[tuple[str, str]]:
    """What a benign scenario proves to be in it, by package and behaviour: that is what imitates."""
    return {
        (app.package, one.behaviour)
        for one in scenario.expectations
        for app in scenario.apps
        if one.package in ("", app.package)
    }


def _inventory(package: str, label: str) -> dict[str, int]:
    words = package.split(".")
    return {
        "package name length": len(package),
        "words of the package": len(words),
        "longest word of the package": max(map(len, words)),
        "label length": len(label),
        "words of the label": len(label.split()),
    }


def _low(address: str) -> int:
    return int(ipaddress.ip_address(address)) & 0xFF


def _host(name: str, address: str, rtt_us: int) -> dict[str, Any]:
    labels = name.split(".")
    return {
        "address, low byte": _low(address),
        "address, parity": _low(address) % 2,
        "address, half of the network": int(address.split(".")[1]),
        "round trip": rtt_us,
        "name length": len(name) if name else None,
        "labels of the name": len(labels) if name else None,
        "digits in the name": sum(letter.isdigit() for letter in name) if name else None,
        "hyphens in the name": name.count("-") if name else None,
        "first label": labels[0].rstrip("0123456789-") if name and len(labels) > 2 else None,
        "top-level name": labels[-1] if name else None,
    }


NO_HOST = dict.fromkeys(_host("a.b.example", "198.18.0.1", 1))


def _manner(speech: Speech, *, inbound: bool) -> dict[str, Any]:
    return {
        "protocol": f"{speech.protocol}+tls" if speech.tls else speech.protocol,
        "port": speech.port,
        "transport": _transport(speech.protocol),
        "TLS": speech.tls,
        "ALPN": speech.options.get("alpn", "its own"),
        "inbound": inbound,
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
