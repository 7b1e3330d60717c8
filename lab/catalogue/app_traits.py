"""What is known of apps and of the phones they are on besides how they behave, as columns beside the label.

Read off compiled timelines and scenarios; nothing is played, and no detector is asked. A trait is a number, a word, or
None where the app has none. DRAWN names the traits that are drawn anew under every seed, all others stand in files;
MANNERS what an app does rather than what it is.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from lab.authoring.background import background_apps
from lab.authoring.plans import AppPlan, Scenario
from lab.catalogue.traits import FIRST_UID, Row, row_of
from lab.protocols.handshakes import shapes
from lab.timeline import Device, Timeline

DAY_US = 86_400_000_000
DRAWN = frozenset(
    {
        *("uid", "uid parity", "position on the device", "TLS stack", "TLS client", "user agent", "device"),
        *("device address", "MAC, second octet", "MAC, last octet", "gateway's MAC, last octet", "link"),
        *("first client port", "first second of its minute", "first microsecond", "in the foreground"),
        *("first contact", "phase"),
    }
)
MANNERS = frozenset({"first contact", "phase", "wakes"})


def app_rows(scenario: Scenario, timeline: Timeline) -> Iterator[Row]:
    """One row per installed app, silent ones too."""
    first_app = np.searchsorted([app.device for app in timeline.apps], [app.device for app in timeline.apps])
    on = Counter(app.package for app in timeline.apps)
    malicious = {incident.app for incident in timeline.incidents}
    plans, said = _plans(scenario, timeline), _contacts(timeline)
    shown = set(np.unique(timeline.states.foreground).tolist())
    situation, looks = _situation(scenario), [_device(device) for device in timeline.devices]
    for number, app in enumerate(timeline.apps):
        if app.uid < FIRST_UID:
            continue
        plan = plans.get((app.device, app.package)) or plans[-1, app.package]
        traits = {
            "uid": app.uid,
            "uid parity": app.uid % 2,
            "position on the device": number - int(first_app[number]),
            "TLS stack": app.stack,
            "TLS client": shapes()[app.stack].name,
            "user agent": app.agent,
            "device": app.device,
            **looks[app.device],
            **said[number],
            "in the foreground": number in shown,
            "on how many devices": on[app.package],
            **_plan(plan),
            **_inventory(app.package, app.label),
            "category": app.category,
            "role": " ".join(app.roles),
            "roles": len(app.roles),
            "sanctioned": app.sanctioned,
            **situation,
        }
        yield row_of(scenario, timeline, app.package, traits, malicious=number in malicious)


def _contacts(timeline: Timeline) -> list[dict[str, Any]]:
    """What the conversations of each app begin with; ``phase``: its first contact in shares of its mean gap."""
    said, count = timeline.conversations, len(timeline.apps)
    start = said.start - timeline.start
    first, last = np.full(count, -1, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    first[said.app[::-1]] = np.arange(len(start))[::-1]
    last[said.app] = np.arange(len(start))
    many = np.bincount(said.app, minlength=count)
    rows = []
    for begin, end, times in zip(first.tolist(), last.tolist(), many.tolist(), strict=True):
        seen = int(start[begin]) if times else 0
        gap = (int(start[end]) - seen) / (times - 1) if times > 1 else 0.0
        known = {
            "first client port": int(said.client_port[begin]),
            "first second of its minute": int(said.start[begin]) // 1_000_000 % 60,
            "first microsecond": int(said.start[begin]) % 1_000_000,
            "first contact": seen / 1e6,
            "phase": seen / gap if gap else None,
        }
        rows.append(known if times else dict.fromkeys(known))
    return rows


def _device(device: Device) -> dict[str, int]:
    octets = device.mac.split(":")
    return {
        "device address": int(ipaddress.ip_address(device.address)) & 0xFF,
        "MAC, second octet": int(octets[1], 16),
        "MAC, last octet": int(octets[-1], 16),
        "gateway's MAC, last octet": int(device.gateway_mac.split(":")[-1], 16),
        "link": device.downlink_bps,
    }


def _situation(scenario: Scenario) -> dict[str, Any]:
    """Where and when the scenario plays: the same for all its apps."""
    phones, network = scenario.phones, scenario.network
    return {
        "start, hour": scenario.start % DAY_US / 3.6e9,
        "start, day": scenario.start // DAY_US,
        "span": scenario.span / 3.6e9,
        "phones": scenario.devices,
        "background": scenario.background.apps,
        "profiles": " ".join(sorted(set(phones.profiles))),
        "networks": phones.networks,
        "always-on VPN": phones.vpn,
        "private DNS": phones.private_dns,
        "loss": network.loss,
        "round trip added": network.rtt_us,
        "MTU": network.mtu,
        "dual stack": network.dual,
    }


def _plan(plan: AppPlan) -> dict[str, Any]:
    wakes = {str(vars(one.behaviour)["wake"]) for one in plan.behaviours if "wake" in vars(one.behaviour)}
    return {
        "installed late": plan.installed > 0,
        "installed": plan.installed / 3.6e9,
        "removed": plan.removed is not None,
        "moves": plan.moves is not None,
        "exempt from Doze": plan.exempt,
        "wakes": " ".join(sorted(wakes)) or None,
        "behaviours": len(plan.behaviours),
    }


def _plans(scenario: Scenario, timeline: Timeline) -> dict[tuple[int, str], AppPlan]:
    """The plan of each app by device and package; a scenario's own ones are the same on all devices (-1)."""
    own = {(-1, app.package): app for app in scenario.apps}
    if not scenario.background.apps:
        return own
    key, names = (timeline.seed, scenario.name), frozenset(app.package for app in scenario.apps)
    found = background_apps(key, scenario.background, names, scenario.devices, scenario.span)
    return own | {(device, plan.package): plan for device, plans in enumerate(found) for plan in plans}


def _inventory(package: str, label: str) -> dict[str, int]:
    words = package.split(".")
    return {
        "package name length": len(package),
        "words of the package": len(words),
        "longest word of the package": max(map(len, words)),
        "label length": len(label),
        "words of the label": len(label.split()),
    }
