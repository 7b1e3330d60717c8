"""The proof of a scenario: what its [[expect]] tables promise, counted in the recording. No detector is involved.

The truth only says whose a flow is; how often and how much it spoke is measured in the capture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.contract import SCHEMAS, Telemetry
from lab.authoring.plans import Expectation, Scenario

CONTACT_GAP_US = 2_000_000  # exchanges closer than this are one contact (our choice)
TOLERANCE_US = 1_000_000
FLOW_KEY = ("proto", "client", "client_port", "server", "server_port")
_NOTHING = {"bytes_up": 0, "bytes_down": 0}
_INSIDE = pa.schema(
    [SCHEMAS["flows"].field(name) for name in (*FLOW_KEY, "flow", "start", "device", "package", *_NOTHING)]
)


@dataclass(frozen=True)
class Seen:
    """What one behaviour of one app on one device showed in the capture."""

    device: str
    package: str
    behaviour: str
    conversations: int
    contacts: int
    bytes: int


@dataclass(frozen=True)
class Proof:
    """One expectation held against one device and app: what was found, what was expected."""

    scenario: str
    behaviour: str
    device: str
    package: str
    measure: str
    found: float
    at_least: float | None
    at_most: float | None

    @property
    def ok(self) -> bool:
        """Whether the recording shows what the scenario promises."""
        low = self.at_least is None or self.found >= self.at_least
        return low and (self.at_most is None or self.found <= self.at_most)


def seen(telemetry: Telemetry, truth_flows: pa.Table, packages: Iterable[str] | None = None) -> list[Seen]:
    """What every behaviour showed, by device, package and behaviour; flows are joined by their ends and time.

    Of these packages only, where they are given: a phone with a background of apps has many more flows.
    """
    flows = telemetry["flows"]
    if packages is not None:
        wanted_packages = pa.array(sorted(packages), type=pa.string())
        flows = flows.filter(pc.is_in(flows["package"], value_set=wanted_packages))
        truth_flows = truth_flows.filter(pc.is_in(truth_flows["client_port"], value_set=_distinct(flows)))
    known: dict[tuple[Any, ...], list[tuple[int, int, str]]] = {}
    for row in truth_flows.select([*FLOW_KEY, "start", "end", "behaviour"]).to_pylist():
        known.setdefault(tuple(row[name] for name in FLOW_KEY), []).append((row["start"], row["end"], row["behaviour"]))
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    wanted = [*FLOW_KEY, "flow", "start", "device", "package", "bytes_up", "bytes_down"]
    for row in flows.select(wanted).to_pylist():
        mine = _conversation(known.get(tuple(row[name] for name in FLOW_KEY), []), row["start"])
        if mine and row["package"] is not None:
            start, _, behaviour = mine
            row["conversation"] = (start, *(row[name] for name in FLOW_KEY))
            groups.setdefault((row["device"], row["package"], behaviour), []).append(row)
    starts = _exchange_starts(telemetry["exchanges"], flows)
    return [_seen(key, rows, starts) for key, rows in sorted(groups.items())]


def _conversation(known: Iterable[tuple[int, int, str]], start: int) -> tuple[int, int, str] | None:
    """The latest of the conversations between these ends that was under way when the flow began.

    One that says nothing for minutes is several flows of UDP, and its first datagram may come long after its beginning.
    """
    open_ = [one for one in known if one[0] - TOLERANCE_US <= start <= one[1] + TOLERANCE_US]
    return max(open_, default=None)


def _distinct(flows: pa.Table) -> pa.Array:
    """The ports of these flows: a coarse sieve for what can be joined with them."""
    return pc.unique(flows["client_port"].combine_chunks())


def _exchange_starts(exchanges: pa.Table, flows: pa.Table) -> Mapping[int, list[int]]:
    starts: dict[int, list[int]] = {}
    table = exchanges.filter(pc.is_in(exchanges["flow"], value_set=pc.unique(flows["flow"].combine_chunks())))
    for flow, start in zip(table["flow"].to_pylist(), table["start"].to_pylist(), strict=True):
        starts.setdefault(flow, []).append(start)
    return starts


def _seen(key: tuple[str, str, str], rows: list[dict[str, Any]], starts: Mapping[int, list[int]]) -> Seen:
    times = np.sort(np.array([start for row in rows for start in starts.get(row["flow"], [])], dtype=np.int64))
    contacts = int((np.diff(times) > CONTACT_GAP_US).sum()) + 1 if len(times) else 0
    conversations = len({row["conversation"] for row in rows})
    return Seen(*key, conversations, contacts, sum(row["bytes_up"] + row["bytes_down"] for row in rows))


def inside(telemetry: Telemetry, packages: Iterable[str]) -> Telemetry:
    """What these packages' sockets show, as flows with one exchange each: all there is to see inside a phone's tunnel.

    Behind an always-on VPN the capture holds the tunnel alone. A connection counts as one contact, however long.
    """
    named = {row["uid"]: row["package"] for row in telemetry["packages"].select(["uid", "package"]).to_pylist()}
    wanted = set(packages)
    uids = pa.array([uid for uid, package in named.items() if package in wanted], type=pa.int32())
    sockets = telemetry["sockets"]
    rows: list[dict[str, Any]] = []
    opened: dict[tuple[Any, ...], dict[str, Any]] = {}
    for event in sockets.filter(pc.is_in(sockets["uid"], value_set=uids)).sort_by("time").to_pylist():
        ends = [(event[f"{end}_address"], event[f"{end}_port"]) for end in ("local", "peer")]
        key = (event["device"], event["proto"], *ends)
        if event["event"] in ("connect", "accept"):
            client, server = ends if event["event"] == "connect" else ends[::-1]
            place = (event["proto"], *client, *server)
            about = {"start": event["time"], "device": event["device"], "package": named[event["uid"]]}
            opened[key] = dict(zip(FLOW_KEY, place, strict=True)) | about | {"flow": len(rows), **_NOTHING}
            rows.append(opened[key])
        elif event["event"] == "close" and key in opened:
            opened.pop(key).update({name: event[name] or 0 for name in _NOTHING})
    schemas = {
        "flows": _INSIDE,
        "exchanges": pa.schema([SCHEMAS["exchanges"].field(name) for name in ("flow", "start")]),
    }
    return Telemetry(
        {name: pa.Table.from_pylist(rows, schema=known) for name, known in schemas.items()}, telemetry.span
    )


def prove(scenario: Scenario, measured: Iterable[Seen]) -> list[Proof]:
    """Every expectation against every app and device that has the behaviour; one that shows nowhere counts as 0."""
    shown = list(measured)
    return [proof for expect in scenario.expectations for proof in _prove(scenario, expect, shown)]


def _prove(scenario: Scenario, expect: Expectation, shown: list[Seen]) -> list[Proof]:
    apps = [
        app
        for app in scenario.apps
        if expect.package in ("", app.package) and any(plan.kind == expect.behaviour for plan in app.behaviours)
    ]
    proofs = []
    for app in apps:
        mine = [one for one in shown if (one.package, one.behaviour) == (app.package, expect.behaviour)]
        absent = [Seen("-", app.package, expect.behaviour, 0, 0, 0)] * (app.on - len(mine))
        for one in [*mine, *absent]:
            for measure, (low, high) in expect.bounds.items():
                place = (scenario.name, expect.behaviour, one.device, one.package, measure)
                proofs.append(Proof(*place, getattr(one, measure), low, high))
    return proofs


def prove_recording(scenario: Scenario, folder: Path) -> list[Proof]:
    """The proofs of one recording of that scenario, which must be whole; EvidenceError if it is not."""
    import pyarrow.parquet as pq

    from detector.contract import open_telemetry
    from lab.recording import open_recording

    recording = open_recording(folder)
    truth_flows = pq.read_table(recording.folder / "truth" / "flows.parquet")
    promised = {one.behaviour for one in scenario.expectations}
    packages = [app.package for app in scenario.apps if promised & {plan.kind for plan in app.behaviours}]
    telemetry = open_telemetry(recording.telemetry)
    shown = inside(telemetry, packages) if scenario.phones.vpn else telemetry
    return prove(scenario, seen(shown, truth_flows, packages))
