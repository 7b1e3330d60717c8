"""Injection: a recording's incidents inside somebody's own capture, with a truth that still holds.

The background is never changed: its frames stand in the merged capture byte by byte and in their order. What is put
between them wears the manner of one of its hosts. Memory holds one part of the background, a row per five-tuple, and
the headers of what is injected.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from detector.capture.mapped import MappedFile
from detector.contract import Advance, open_telemetry
from lab.behaviours import Int64
from lab.errors import EvidenceError
from lab.injecting.census import Census
from lab.injecting.clock import overlap, refuse_outside, shift_of
from lab.injecting.frames import Ends, Frames, packed
from lab.injecting.guise import announced, limits, worn
from lab.injecting.injected import Injected, pieces, read_injected
from lab.injecting.labels import Moves, extra_of, write_flows, write_log
from lab.injecting.merging import write_merged
from lab.injecting.owners import owners_of
from lab.injecting.places import Places, moved_ports, placed
from lab.injecting.reading import Known, manner_of, read_background
from lab.injecting.tables import moved_truth, sightings, write_telemetry
from lab.injecting.wishes import Wish, granted
from lab.recording import CAPTURE, Recording, open_recording, recording_hash, recording_name, seal
from lab.store import folder_in_the_making
from lab.truth import Background as Unknown
from lab.truth import write_truth

__all__ = ["Wish", "inject"]


def inject(recording: Path, into: Path, folder: Path, wish: Wish, advance: Advance | None = None) -> dict[str, Any]:
    """Writes the merged recording at ``folder``, all or nothing, and returns what its manifest says of the injection.

    Raises EvidenceError for a damaged recording or background (unless ``allow_partial``, which uses what stands before
    the damage of the background), ScenarioError for a wish that cannot be granted, FileExistsError if something stands
    at ``folder``.
    """
    tell = advance or (lambda _done, _total: None)
    recording_name(folder)
    if folder.exists():
        raise FileExistsError(17, "something stands there; give another folder", str(folder))
    if not into.exists():
        raise FileNotFoundError(2, "no such capture", str(into))
    opened = open_recording(recording)
    if CAPTURE not in opened.files:
        raise EvidenceError(f"{recording}: found no {CAPTURE} (stage {opened.stage}); record it on stage wire or live")
    known = read_background(into, allow_partial=wish.allow_partial, advance=lambda done, total: tell(done, 3 * total))
    with folder_in_the_making(folder) as making:
        for part in ("telemetry", "truth"):
            (making / part).mkdir()
        return _merge(opened, known, making, wish, lambda done, total: tell(total + 2 * done, 3 * total))


def _merge(opened: Recording, known: Known, making: Path, wish: Wish, advance: Advance) -> dict[str, Any]:
    census, truth = known.census, opened.truth()
    times = (census.first or 0, census.last or 0)
    span = round(opened.span_s * 1_000_000)
    shift = shift_of(wish.at, opened.start, span, times)
    refuse_outside(wish.at, opened.start + shift, span)
    devices = {address: name for name, address in truth.devices.items()} | dict(truth.further)
    injected = read_injected(opened.folder / CAPTURE, devices)
    places = _places(opened, injected, devices, known, wish)
    frames = _frames(opened, injected, places, known, shift)
    entry = write_merged(making / CAPTURE, known.background, frames, advance).entry()
    told = _shared(opened, places, truth.devices)
    others = _tables(opened, making, Moves(places, shift, extra_of(injected, frames.pieces)), census)
    write_truth(replace(moved_truth(truth, places, shift), background=Unknown(told)), making / "truth")
    about = {
        "background": {**known.told(), "flows": others},
        "recording_sha256": recording_hash(opened.folder),
        "packets": len(frames.pieces),
        "left_behind": injected.left_behind,
        "shift_us": shift,
        "model": places.model,
        "devices": {name: places.address(address) for name, address in truth.devices.items()},
        "shared": sorted(told),
        "overlap": dict(overlap(frames.time, times)),
    }
    seal(making, _manifest(opened, shift, about), {CAPTURE: entry})
    return about


def _tables(opened: Recording, making: Path, moves: Moves, census: Census) -> int:
    """Writes telemetry and the labels of all flows; returns how many of these are the background's."""
    source, target = opened.folder / "truth", making / "truth"
    places, shift, log, keys = moves.places, moves.shift, "conn.log.labeled", "tls-keys.log"
    write_telemetry(opened.telemetry, making / "telemetry", places, shift, sightings(census, places))
    others = write_flows(source / "flows.parquet", target / "flows.parquet", places, shift, census)
    if (source / log).is_file():
        write_log(source / log, target / log, moves, census)
    if (source / keys).is_file():
        shutil.copyfile(source / keys, target / keys)
    return others


def _manifest(opened: Recording, shift: int, about: Mapping[str, Any]) -> dict[str, Any]:
    names = ("scenario", "scenario_sha256", "twin_of", "seed", "stage")
    plain = {name: getattr(opened, name) for name in names}
    told = {"past": dict(opened.past), "devices": opened.devices, "not_played": list(opened.not_played)}
    when = {"start": opened.start + shift, "span_s": opened.span_s, "speed": opened.speed}
    return {**plain, **when, **{key: value for key, value in told.items() if value}, "injection": dict(about)}


def _places(opened: Recording, injected: Injected, devices: Mapping[str, str], known: Known, wish: Wish) -> Places:
    census, asked = known.census, granted(wish.devices, list(dict.fromkeys(devices.values())))
    clients = census.clients()
    if not clients:
        raise EvidenceError(
            f"{known.background.path}: found no host that sends TCP or UDP to another, expected one to imitate"
        )
    heard = {address for address, _ in clients}
    model = next((address for address in asked.values() if address in heard), clients[0][0])
    flows = pq.read_table(opened.folder / "truth/flows.parquet", columns=["client", "client_port", "server"])
    ends = {*injected.ends(source=True), *injected.ends(source=False)}
    others = ends | set(flows["client"].to_pylist()) | set(flows["server"].to_pylist())
    places = placed(devices, others - {None}, census, asked, model)
    used: dict[str, set[int]] = {}
    for row in flows.to_pylist():
        if row["client"] in devices and row["client_port"] is not None:
            used.setdefault(row["client"], set()).add(row["client_port"])
    return replace(places, ports=moved_ports(places, used, census))


def _frames(opened: Recording, injected: Injected, places: Places, known: Known, shift: int) -> Frames:
    manner, tapes = manner_of(known, places.model)
    mss = announced(injected, tapes)
    cut = pieces(injected.heads, limits(injected, mss))
    sources, targets = injected.ends(source=True), injected.ends(source=False)
    ends = Ends(
        source=packed([places.address(one) or one for one in sources]),
        target=packed([places.address(one) or one for one in targets]),
        sport=_ports(places, sources, injected.heads.sport),
        dport=_ports(places, targets, injected.heads.dport),
    )
    answers = {_rdata(old): _rdata(new) for old, new in places.hosts.items()}
    return Frames(
        file=MappedFile(opened.folder / CAPTURE),
        injected=injected,
        pieces=cut,
        guise=worn(injected, cut, mss, tapes),
        ends=ends,
        time=injected.heads.time[cut.source] + shift,
        manner=manner,
        owners=owners_of(opened.telemetry, injected) if manner.trailed else (),
        answers=answers,
    )


def _rdata(address: str) -> bytes:
    """RDLENGTH and RDATA of an address record (RFC 1035 section 3.2.1, RFC 3596)."""
    octets = ip_address(address).packed
    return len(octets).to_bytes(2, "big") + octets


def _ports(places: Places, addresses: list[str], ports: Int64) -> Int64:
    if not places.ports:
        return ports
    pairs = zip(addresses, ports.tolist(), strict=True)
    return np.array([places.port(address, port) for address, port in pairs], np.int64)


def _shared(opened: Recording, places: Places, devices: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Of devices whose address the background has, too: the names and addresses that their own flows are with."""
    shared = {name for name, address in devices.items() if places.address(address) in places.shared}
    if not shared:
        return {}
    telemetry = open_telemetry(opened.telemetry)
    found: dict[str, set[str]] = {name: set() for name in shared}
    for row in telemetry["flows"].select(["device", "client", "server", "name", "sni", "host"]).to_pylist():
        if row["device"] in shared:
            peers = (places.address(row["server"]), places.address(row["client"]), row["name"], row["sni"], row["host"])
            found[row["device"]] |= {peer for peer in peers if peer}
    return {name: frozenset(peers) for name, peers in found.items()}
