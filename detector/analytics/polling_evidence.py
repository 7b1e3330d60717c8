"""What is known around the contacts of one destination: state, inventory, naming, neighbours. Facts, no judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detector.columns import NULL, Int64, numbered
from detector.contacts import Contacts, Flows
from detector.contract import Telemetry
from detector.destinations import is_address, is_local, label_of, registrable
from detector.device_states import DeviceStates, states_by_device
from detector.features.name_anomaly import Naming
from detector.inventory import Inventory, read_inventory
from detector.lookups import Lookups, read_lookups

#: Labels of flow protocols that hide their server's name in the hello.
WITH_SNI = frozenset({"tls", "https", "quic"})


@dataclass(frozen=True)
class Surroundings:
    """One telemetry as AN1793 reads it, prepared once for all groups."""

    span: tuple[int, int]
    flows: Flows | None
    lookups: Lookups | None
    states: Mapping[str, DeviceStates]
    inventory: Inventory
    neighbours: Mapping[str, tuple[frozenset[str], frozenset[str]]]  # destination -> devices, packages
    devices: int
    packages: int
    sni_seen: bool


@dataclass(frozen=True)
class Peer:
    """The destination of one group in words: who it is, where, how it was named and spoken to."""

    name: str  # best single name, or the address
    addresses: tuple[str, ...]
    naming: Naming
    protocols: tuple[str, ...]
    labels: tuple[str, ...]  # qname labels below the domain, for look-ups
    types: tuple[str, ...]


def survey(telemetry: Telemetry) -> Surroundings:
    """The telemetry prepared for AN1793."""
    flows = Flows.read(telemetry["flows"]) if "flows" in telemetry else None
    lookups = read_lookups(telemetry["dns"], flows) if "dns" in telemetry else None
    secret = [] if flows is None else [k for k, text in enumerate(flows.app_proto.texts) if text in WITH_SNI]
    hello = None if flows is None else telemetry["flows"]["sni"]
    return Surroundings(
        span=telemetry.span,
        flows=flows,
        lookups=lookups,
        states=states_by_device(telemetry["device_state"]) if "device_state" in telemetry else {},
        inventory=read_inventory(telemetry.tables.get("packages")),
        neighbours={} if flows is None else _neighbours(flows),
        devices=0 if flows is None else len(np.unique(flows.device.code)),
        packages=0 if flows is None else len(flows.package.texts),
        sni_seen=bool(secret) and hello is not None and hello.null_count < len(hello),
    )


def _neighbours(flows: Flows) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Devices and packages that contact each destination."""
    rows = np.flatnonzero(flows.inbound == 0)
    texts = [registrable(text) for text in flows.name.texts] + flows.server.texts
    named = flows.name.code[rows]
    code = np.where(named != NULL, named, flows.server.code[rows] + len(flows.name.texts))
    found: dict[str, tuple[set[str], set[str]]] = {}
    if not len(rows):
        return {}
    _, first = numbered(code, flows.device.code[rows], flows.package.code[rows])
    for k in first:
        devices, packages = found.setdefault(texts[code[k]], (set(), set()))
        devices.add(flows.device.text(int(rows[k])) or "")
        package = flows.package.text(int(rows[k]))
        if package:
            packages.add(package)
    return {name: (frozenset(devices), frozenset(packages)) for name, (devices, packages) in found.items()}


def peer_of(contacts: Contacts, known: Surroundings) -> Peer:
    """Who the contacts are with, from the rows they came from."""
    if contacts.looked_up:
        assert known.lookups is not None
        return _asked_domain(contacts, known.lookups)
    assert known.flows is not None
    flows, rows = known.flows, contacts.rows
    names = flows.target.of(rows) or flows.name.of(rows)
    addresses = tuple(flows.server.of(rows))
    protocols = tuple(sorted(flows.app_proto.of(rows)))
    name = names[0] if len(names) == 1 else contacts.destination
    return Peer(name, addresses, _naming(contacts, known, addresses), protocols, (), ())


def _asked_domain(contacts: Contacts, lookups: Lookups) -> Peer:
    domain = contacts.destination
    names = [lookups.qname.text(int(row)) or "" for row in contacts.rows]
    labels = tuple(name.removesuffix(domain).rstrip(".") for name in names)
    types = tuple(lookups.qtype.text(int(row)) or "" for row in contacts.rows)
    addresses = tuple(lookups.server.of(contacts.rows))
    return Peer(domain, addresses, Naming(None, None, None, label_of(domain)), ("dns",), labels, types)


def _naming(contacts: Contacts, known: Surroundings, addresses: tuple[str, ...]) -> Naming:
    flows = known.flows
    assert flows is not None
    rows, destination = contacts.rows, contacts.destination
    nameless = is_address(destination)
    hello = any(text in WITH_SNI for text in flows.app_proto.of(rows))
    answered = known.lookups.answered_for if known.lookups is not None else {}
    resolved = [answered[address] for address in addresses if address in answered]
    foreign = all(destination not in names for names in resolved) if resolved and not nameless else None
    outside = not any(is_local(address) for address in addresses)
    return Naming(
        no_sni=(nameless and known.sni_seen) if hello and known.sni_seen else None,
        never_resolved=(nameless and not resolved and outside) if answered else None,
        other_name=foreign,
        label="" if nameless else label_of(destination),
    )


def others(contacts: Contacts, known: Surroundings) -> tuple[int, int, int | None]:
    """Other devices that contact the destination, of how many, and other packages that do.

    None packages: apps are unknown, or there is no second one to ask.
    """
    devices, packages = known.neighbours.get(contacts.destination, (frozenset(), frozenset()))
    apps = len(packages - {contacts.package}) if known.packages > 1 else None
    return len(devices - {contacts.device}), max(known.devices - 1, 0), apps


def moments_locked(times: Int64, states: DeviceStates, span: tuple[int, int]) -> tuple[int, int, float, float]:
    """Contacts while locked and unlocked, and seconds in each lock state within the span."""
    locked = states.locked_at(times)
    return int((locked == 1).sum()), int((locked == 0).sum()), *states.lock_seconds(span)
