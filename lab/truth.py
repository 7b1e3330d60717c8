"""What was really played: incidents, devices and packages, read off a timeline or a recording's truth folder.

No detector ever sees this module's values or files. It knows no packet and no score.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lab.behaviours import Bool, Int32
from lab.errors import EvidenceError
from lab.timeline import NAME_LOOKUP, Timeline
from lab.world.cast import RESOLVER

if TYPE_CHECKING:
    import pyarrow as pa

    from lab.recording import Recording

DAY = 86_400_000_000
#: What a flow is that was in a capture before anything was injected: neither benign nor malicious.
BACKGROUND = "background"
VOUCHING = ("package", "sanctioned", "roles")  # columns of the inventory that say who vouches for whom


@dataclass(frozen=True)
class TruthIncident:
    """One labelled behaviour of one app on one device; times in microseconds since the epoch, UTC."""

    incident: str
    analytic: str
    technique: str
    behaviour: str
    twin_of: str
    device: str
    uid: int
    package: str
    peers: tuple[str, ...]  # names and addresses, sorted
    start: int
    end: int
    contacts: int
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Background:
    """What a merged recording holds beside what was played: traffic of which nothing is known (lab/inject.py).

    ``shared`` maps a device whose address such traffic has, too, to the names and addresses that the device's own
    conversations are with: only these can be told from the rest.
    """

    shared: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Truth:
    """All that a score is measured against. ``packages`` maps (device, package) to (uid, category).

    ``vouched`` maps those for which the inventory has a good word to it: "sanctioned", "role vpn".
    """

    incidents: tuple[TruthIncident, ...]
    devices: Mapping[str, str]  # name -> address
    packages: Mapping[tuple[str, str], tuple[int, str]]
    start: int
    span: int  # microseconds
    scenario: str
    seed: int
    twin_of: str = ""
    contacts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # incident -> times, ascending
    vouched: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    further: Mapping[str, str] = field(default_factory=dict)  # address -> name, of devices that have several
    background: Background | None = None  # None: all that the capture holds was played

    def device_name(self, device: str) -> str | None:
        """The name of the device that is called so, by name or by any of its addresses; None if none is."""
        return self._names.get(device)

    @cached_property
    def _names(self) -> dict[str, str]:
        own = {address: name for name, address in sorted(self.devices.items(), reverse=True)}
        return {**self.further, **own, **{name: name for name in self.devices}}

    @property
    def device_days(self) -> float:
        """How many days of how many devices were watched."""
        return len(self.devices) * self.span / DAY


def truth_of(timeline: Timeline) -> Truth:
    """The truth of a timeline: pure; an incident lasts from its first conversation's start to its last one's close."""
    return Truth(
        incidents=tuple(_incident(timeline, index) for index in range(len(timeline.incidents))),
        devices={device.name: device.address for device in timeline.devices},
        further={address: device.name for device in timeline.devices for address in device.addresses[1:]},
        packages={(timeline.devices[a.device].name, a.package): (a.uid, a.category) for a in timeline.apps},
        start=timeline.start,
        span=timeline.span,
        scenario=timeline.scenario,
        seed=timeline.seed,
        twin_of=timeline.twin_of,
        contacts={one.incident: _contacts(timeline, index) for index, one in enumerate(timeline.incidents)},
        vouched=_vouched(
            {"device": timeline.devices[app.device].name, **{name: getattr(app, name) for name in VOUCHING}}
            for app in timeline.apps
        ),
    )


def _spoken(timeline: Timeline, index: int) -> Bool:
    """Which conversations are an incident's own; the look-ups made for it are not."""
    said = timeline.conversations
    lookups = [number for number, name in enumerate(timeline.behaviours) if name == NAME_LOOKUP]
    own: Bool = (said.incident == index) & ~np.isin(said.behaviour, lookups)
    return own


def _contacts(timeline: Timeline, index: int) -> tuple[int, ...]:
    mine = _spoken(timeline, index)[timeline.exchanges.conversation]
    return tuple(np.sort(timeline.exchanges.time[mine]).tolist())


def _incident(timeline: Timeline, index: int) -> TruthIncident:
    incident, said = timeline.incidents[index], timeline.conversations
    app = timeline.apps[incident.app]
    own = np.flatnonzero(_spoken(timeline, index))
    # the device's resolver is everybody's, in whatever protocol it is asked; what an app asks it for itself is a peer
    met = np.concatenate([said.host[own], _sought(timeline, index)])
    hosts = [timeline.hosts[host] for host in np.unique(met).tolist()]
    peers = {host.name for host in hosts} | {host.address for host in hosts if host.address != RESOLVER}
    peers |= _shown(timeline, np.unique(said.speech[own]).tolist())
    return TruthIncident(
        incident=incident.incident,
        analytic=incident.analytic,
        technique=incident.technique,
        behaviour=incident.behaviour,
        twin_of=incident.twin_of,
        device=timeline.devices[app.device].name,
        uid=app.uid,
        package=app.package,
        peers=tuple(sorted(peers - {""})),
        start=int(said.start[own].min()) if len(own) else timeline.start,
        end=int(said.close[own].max()) if len(own) else timeline.start,
        contacts=incident.contacts,
        settings=dict(incident.settings),
    )


def _sought(timeline: Timeline, index: int) -> Int32:
    """The hosts looked up for an incident that do not exist: names asked for in vain, which nothing else shows.

    Any other look-up is of a host that the incident has a conversation with, and says nothing that this does not.
    """
    said = timeline.conversations
    mine = np.flatnonzero(said.incident == index)
    vain = np.array(["missing" in speech.options for speech in timeline.speeches], dtype=np.bool_)
    found: Int32 = said.host[mine][vain[said.speech[mine]]]
    return found


def _shown(timeline: Timeline, speeches: Iterable[int]) -> set[str]:
    """The names that these ways of speaking show a sensor in place of the host's own: SNI, and Host inside TLS."""
    options = [timeline.speeches[speech].options for speech in speeches]
    return {said[name] for said in options for name in ("sni", "host") if name in said} - {"none"}


@cache
def incidents_schema() -> pa.Schema:
    """Columns of truth/incidents.parquet."""
    import pyarrow as pa

    kinds = {"uid": pa.int32(), "peers": pa.list_(pa.string()), "contacts": pa.int64()}
    kinds |= dict.fromkeys(("start", "end"), pa.int64())
    return pa.schema([(name, kinds.get(name, pa.string())) for name in TruthIncident.__dataclass_fields__])


def write_truth(truth: Truth, folder: Path) -> None:
    """Writes incidents, contacts, devices and, of a merged recording, background.parquet into the truth folder."""
    import pyarrow as pa

    from lab.recording import write_parquet

    settings = [json.dumps(i.settings, sort_keys=True, ensure_ascii=False, default=str) for i in truth.incidents]
    rows = [{**vars(i), "settings": s} for i, s in zip(truth.incidents, settings, strict=True)]
    write_parquet(folder / "incidents.parquet", pa.Table.from_pylist(rows, schema=incidents_schema()))
    pairs = [(incident, time) for incident, times in truth.contacts.items() for time in times]
    contacts = {"incident": [pair[0] for pair in pairs], "time": [pair[1] for pair in pairs]}
    schema = pa.schema([("incident", pa.string()), ("time", pa.int64())])
    write_parquet(folder / "contacts.parquet", pa.table(contacts, schema=schema))
    named = [*truth.devices.items(), *((name, address) for address, name in truth.further.items())]
    devices = {"device": [name for name, _ in named], "address": [address for _, address in named]}
    schema = pa.schema([("device", pa.string()), ("address", pa.string())])
    write_parquet(folder / "devices.parquet", pa.table(devices, schema=schema))
    if truth.background is not None:
        said = [(name, peer) for name, known in sorted(truth.background.shared.items()) for peer in sorted(known)]
        peers = {"device": [name for name, _ in said], "peer": [peer for _, peer in said]}
        schema = pa.schema([("device", pa.string()), ("peer", pa.string())])
        write_parquet(folder / "background.parquet", pa.table(peers, schema=schema))


def read_truth(recording: Recording) -> Truth:
    """The truth of a recording; EvidenceError if one of its tables is missing or of other columns."""
    incidents = _rows(recording.folder / "truth/incidents.parquet", set(incidents_schema().names))
    devices = _rows(recording.folder / "truth/devices.parquet", {"device", "address"})
    own = {row["device"]: row["address"] for row in reversed(devices)}  # the first one of each
    own = dict(reversed(own.items()))
    contacts: dict[str, list[int]] = {row["incident"]: [] for row in incidents}
    for row in _rows(recording.folder / "truth/contacts.parquet", {"incident", "time"}):
        contacts[row["incident"]].append(row["time"])
    packages = _rows(recording.telemetry / "packages.parquet", {"device", "uid", "category", *VOUCHING})
    return Truth(
        incidents=tuple(
            TruthIncident(**{**row, "peers": tuple(row["peers"]), "settings": json.loads(row["settings"])})
            for row in incidents
        ),
        devices=own,
        further={row["address"]: row["device"] for row in devices if row["address"] != own[row["device"]]},
        packages={(row["device"], row["package"]): (row["uid"], row["category"]) for row in packages},
        start=recording.start,
        span=round(recording.span_s * 1_000_000),
        scenario=recording.scenario,
        seed=recording.seed,
        twin_of=recording.twin_of,
        contacts={incident: tuple(times) for incident, times in contacts.items()},
        vouched=_vouched(packages),
        background=_background(recording.folder / "truth/background.parquet"),
    )


def _background(path: Path) -> Background | None:
    if not path.exists():
        return None
    found: dict[str, set[str]] = {}
    for row in _rows(path, {"device", "peer"}):
        found.setdefault(row["device"], set()).add(row["peer"])
    return Background({name: frozenset(peers) for name, peers in found.items()})


def _vouched(apps: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[str, ...]]:
    words = {
        (app["device"], app["package"]): ("sanctioned",) * bool(app["sanctioned"])
        + tuple(f"role {role}" for role in sorted(app["roles"] or ()))
        for app in apps
    }
    return {key: said for key, said in words.items() if said}


def _rows(path: Path, columns: set[str]) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as fault:
        raise EvidenceError(f"{path}: unreadable ({fault}); record it again") from fault
    if not columns <= set(table.column_names):
        missing = ", ".join(sorted(columns - set(table.column_names)))
        raise EvidenceError(f"{path}: found no column {missing}; record it again")
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows
