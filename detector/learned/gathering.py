"""From a telemetry to a part: flows a device opened, exchanges inside its long ones, and look-ups, counted.

Who calls in is left out: a peer that the app did not choose says nothing of where it usually goes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from detector.claims import judged_by, translated
from detector.columns import NULL, Codes, Int64, codes, joined, stable_order, whole
from detector.contract import Telemetry
from detector.destinations import registrable
from detector.flow_columns import MERGE_US, Flows, destinations, moments, named, opened
from detector.learned.habits import habits_of, none
from detector.learned.part import BLOCK_DAYS, DAY_US, Bits, Contacted, Part, keyed
from detector.learned.relayed import nobody
from detector.lookups import answers_of
from detector.tables import SCHEMAS


@dataclass(frozen=True)
class Said:
    """(n,) one row per moment at which a device spoke to a destination, in any order."""

    device: Codes
    package: Codes
    destination: Codes
    time: Int64

    def taken(self, rows: Int64) -> Said:
        """Some of the rows, in the order given."""
        device, package, destination = (
            Codes(part.code[rows], part.texts) for part in (self.device, self.package, self.destination)
        )
        return Said(device, package, destination, self.time[rows])

    def beside(self, other: Said) -> Said:
        """The rows of both; texts sorted, and only those that some row has."""
        return Said(
            _together(self.device, other.device),
            _together(self.package, other.package),
            _together(self.destination, other.destination),
            np.concatenate([self.time, other.time]),
        )


def gathered(telemetry: Telemetry, flows: Flows | None = None, *, habits: bool = True) -> Part:
    """The part of one telemetry, without who relayed; empty where it has neither flows nor look-ups.

    ``flows``: those of the telemetry, where they have been read; ``habits``: whether how apps speak and which single
    hosts they met is counted.
    """
    table = telemetry.tables.get("flows", SCHEMAS["flows"].empty_table())
    flows = Flows.read(table) if flows is None else flows
    rows = opened_rows(flows)
    made = spoken_to(flows, rows)
    asked = looked_up(telemetry.tables.get("dns", SCHEMAS["dns"].empty_table()), flows)
    said = _with_exchanges(made, flows, rows, telemetry).beside(asked)
    doubted, also = _doubted(made, flows, rows, telemetry)
    if len(also):
        said = said.beside(_with_exchanges(doubted, flows, rows[also], telemetry))
    counted = habits_of(table, rows, made.device, made.package, said.package.texts) if habits else (none(), ())
    names, met = _met(made, flows, rows, telemetry, said) if habits else ((), _contacted(_none(said)))
    known = categories_of(telemetry.tables.get("packages"))
    return Part(
        view=telemetry.view,
        span=(int(telemetry.span[0]), int(telemetry.span[1])),
        devices=tuple(said.device.texts),
        packages=tuple(said.package.texts),
        categories=tuple(known.get(text, "") for text in said.package.texts),
        destinations=tuple(said.destination.texts),
        protocols=counted[1],
        contacted=_contacted(said),
        habits=counted[0],
        relayed=nobody(),
        hosts=names,
        met=met,
        installed=installed_in(telemetry.tables.get("packages")),
    ).named()


def _together(mine: Codes, its: Codes) -> Codes:
    code = np.concatenate([mine.code, np.where(its.code == NULL, NULL, its.code + len(mine.texts))])
    texts = mine.texts + its.texts
    used = np.zeros(len(texts) + 1, np.bool_)
    used[code] = True
    distinct = sorted({text for text, kept in zip(texts, used[:-1], strict=True) if kept})
    place = {text: k for k, text in enumerate(distinct)}
    return Codes(np.array([place.get(text, NULL) for text in texts] + [NULL], np.int64)[code], distinct)


def opened_rows(flows: Flows) -> Int64:
    """Rows of flows that a device opened to somebody (detector/flow_columns.py)."""
    return np.flatnonzero(opened(flows.inbound, flows.server, flows.proto))


def spoken_to(flows: Flows, rows: Int64) -> Said:
    """Who spoke to whom: domain of what a proxy was asked for, else of the server's name, else its address."""
    asking, app = (Codes(part.code[rows], part.texts) for part in (flows.device, flows.package))
    return Said(asking, app, destinations(flows, rows), flows.start[rows])


def _doubted(made: Said, flows: Flows, rows: Int64, telemetry: Telemetry) -> tuple[Said, Int64]:
    """The flows whose name no answer bears out once more, with whom they are judged by, and which of the rows."""
    nobody = np.zeros(0, np.int64)
    dns = telemetry.tables.get("dns")
    if dns is None or not len(dns) or not len(rows):
        return made.taken(nobody), nobody
    device, _ = _askers(dns, flows)
    domain, answers = answers_of(dns, device)
    if not len(answers.domain):
        return made.taken(nobody), nobody
    target, name, server = (Codes(part.code[rows], part.texts) for part in (flows.target, flows.name, flows.server))
    judged = judged_by(made.device, (target, name), server, (device, domain, answers))
    also = np.flatnonzero(judged.code != NULL)
    return replace(made.taken(also), destination=Codes(judged.code[also], judged.texts)), also


def _askers(dns: pa.Table, flows: Flows) -> tuple[Codes, Codes]:
    """(n,) device and app of each look-up, by flow number, else the client's address and no app."""
    asking = np.flatnonzero(flows.inbound == 0)
    row = joined(flows.flow[asking], whole(dns["flow"]))
    found = row != NULL
    place = asking[row[found]]
    client, device, package = codes(dns["client"]), flows.device, flows.package
    who = client.code + len(device.texts)
    who[found] = device.code[place]
    app = np.full(len(row), NULL, np.int64)
    app[found] = package.code[place]
    return Codes(who, device.texts + client.texts), Codes(app, package.texts)


def _with_exchanges(made: Said, flows: Flows, rows: Int64, telemetry: Telemetry) -> Said:
    """The flows, long ones replaced by their exchanges where there are any (detector/flow_columns.py)."""
    if "exchanges" not in telemetry:
        return made
    exchanges = telemetry["exchanges"]
    when = moments(flows.flow[rows], made.time, flows.end[rows], exchanges)
    said = made.taken(np.concatenate([when.alone, when.owner]))
    said.time[len(when.alone) :] = whole(exchanges["start"])[when.inside]
    return said


def looked_up(dns: pa.Table, flows: Flows) -> Said:
    """Who looked up which domain; asker by flow number, else by the client's address and no app."""
    if not len(dns):
        nobody = Codes(np.zeros(0, np.int64), [])
        return Said(nobody, nobody, nobody, nobody.code)
    qname = codes(dns["qname"])
    domain = Codes(qname.code, [registrable(text) for text in qname.texts])
    asked = Said(*_askers(dns, flows), domain, whole(dns["time"]))
    return asked.taken(np.flatnonzero(qname.code != NULL))


def _met(made: Said, flows: Flows, rows: Int64, telemetry: Telemetry, said: Said) -> tuple[tuple[str, ...], Contacted]:
    """The hosts by their full names, and who met them; codes of devices and packages are those of ``said``."""
    host = named(flows.target, flows.name, rows)
    told = np.flatnonzero(host.code != NULL)
    whom = replace(made, destination=host).taken(told)
    found = _with_exchanges(whom, flows, rows[told], telemetry)
    found = found.beside(_none(found))
    device, package = (
        Codes(translated(one, other.texts), other.texts)
        for one, other in ((found.device, said.device), (found.package, said.package))
    )
    return tuple(found.destination.texts), _contacted(replace(found, device=device, package=package))


def _none(said: Said) -> Said:
    return said.taken(np.zeros(0, np.int64))


def _contacted(said: Said) -> Contacted:
    """The moments counted by (device, package, destination, block of days)."""
    sizes = [len(part.texts) for part in (said.device, said.package, said.destination)]
    group = keyed((said.device.code, sizes[0]), (said.package.code, sizes[1]), (said.destination.code, sizes[2]))
    ordered = bool((np.diff(said.time) >= 0).all())  # as flows mostly are, which saves a sort
    order = stable_order(group) if ordered else np.lexsort((said.time, group))
    group, time = group[order], said.time[order]
    day = time // DAY_US
    block = day // BLOCK_DAYS
    fresh = np.diff(group, prepend=-1) != 0
    apart = fresh | (np.diff(time, prepend=0) > MERGE_US)
    heads = np.flatnonzero(fresh | (np.diff(block, prepend=-1) != 0))
    if not len(heads):
        nothing = np.zeros(0, np.int64)
        return Contacted(nothing, nothing, nothing, nothing, np.zeros(0, np.uint64), nothing, nothing)
    days: Bits = np.bitwise_or.reduceat(np.uint64(1) << (day % BLOCK_DAYS).astype(np.uint64), heads)
    rows = order[heads]
    device, package, destination = (part.code[rows] for part in (said.device, said.package, said.destination))
    contacts = np.add.reduceat(apart.astype(np.int64), heads)
    return Contacted(device, package, destination, block[heads], days, contacts, time[heads])


def installed_in(packages: pa.Table | None) -> tuple[tuple[str, str], ...]:
    """Every (device, package) of an inventory, each once, sorted."""
    if packages is None:
        return ()
    pairs = packages.select(["device", "package"]).to_pylist()
    return tuple(sorted({(row["device"], row["package"]) for row in pairs if row["device"] and row["package"]}))


def categories_of(packages: pa.Table | None) -> dict[str, str]:
    """The category of every package: what most devices say, ties to the first of the alphabet."""
    if packages is None:
        return {}
    told: dict[str, Counter[str]] = {}
    for row in packages.select(["package", "category"]).to_pylist():
        if row["package"] and row["category"]:
            told.setdefault(row["package"], Counter())[row["category"].lower()] += 1
    return {package: min(votes, key=lambda one: (-votes[one], one)) for package, votes in told.items()}
