"""Which frames of a recording belong to an incident, and on which side of a sensor each one starts.

The truth is asked here, as the lab may; what is sent says nothing of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.errors import EvidenceError, ScenarioError
from lab.replaying.addressing import GATEWAY
from lab.replaying.source import TCP, UDP, Source
from lab.stages.link import LAN, RESOLVER
from lab.truth import Truth

Int64 = NDArray[np.int64]
_SLACK_US = 1_000_000  # by which a live recording's truth may be late behind its first packet
_DNS = 53
INSIDE, OUTSIDE = 0, 1


def rows_of(source: Source, folder: Path, truth: Truth, incidents: Sequence[str]) -> Int64:
    """The rows of the incidents' own conversations, and of the look-ups of their peers' names.

    ``folder`` is the recording's. Raises ScenarioError for an incident that the truth does not know, EvidenceError if
    the capture shows none of their frames, as inside a tunnel.
    """
    known = [one.incident for one in truth.incidents]
    faults = [_unknown(name, known) for name in incidents if name not in known]
    if faults:
        raise ScenarioError(faults)
    chosen = [one for one in truth.incidents if one.incident in incidents]
    keep = _spoken(source, folder, set(incidents))
    if not keep.any():
        raise EvidenceError(f"{folder}: found no frame of {', '.join(incidents)}: a tunnel hides them; replay it whole")
    names = {peer for one in chosen for peer in one.peers if not _is_address(peer)}
    whose = {address for one in chosen for address, name in _addresses(truth) if name == one.device}
    keep |= _looked_up(source, names, whose)
    return np.flatnonzero(keep)


def devices_of(truth: Truth) -> dict[str, list[str]]:
    """The devices by name, with their addresses."""
    found: dict[str, list[str]] = {}
    for address, name in _addresses(truth):
        found.setdefault(name, []).append(address)
    return found


def inside_of(addresses: Sequence[str], devices: Mapping[str, Sequence[str]]) -> NDArray[np.bool_]:
    """Which addresses lie on the devices' side of a sensor: the devices', and in a capture without names the LAN's."""
    own = {address for several in devices.values() for address in several}
    told = own or {one for one in addresses if ip_address(one).version == LAN.version and ip_address(one) in LAN}
    return np.array([one in told and one != RESOLVER for one in addresses], np.bool_)


def sides(source: Source, inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """INSIDE or OUTSIDE for every frame, by who sent it.

    Where the capture knows no device, who asks is inside; what has no address is, too.
    """
    if not inside.any():
        return np.where(source.asks | (source.flow < 0), INSIDE, OUTSIDE).astype(np.uint8)
    spoken = source.source >= 0
    from_inside = ~spoken | inside[np.maximum(source.source, 0)]
    return np.where(from_inside, INSIDE, OUTSIDE).astype(np.uint8)


def hardware(source: Source, devices: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The MACs from which each address, device and, as GATEWAY, everything beyond the LAN sends."""
    rows = np.flatnonzero(source.ethernet & (source.source >= 0))
    octets = source.file.gather(source.at[rows] + 6, 6).astype(np.int64)
    mac = (octets << np.arange(40, -1, -8)).sum(axis=1)
    found: dict[str, list[str]] = {}
    for place, number in np.unique(np.stack([source.source[rows], mac], axis=1), axis=0).tolist():
        address, text = source.addresses[place], number.to_bytes(6, "big").hex(":")
        found.setdefault(address, []).append(text)
        parsed = ip_address(address)
        if address == RESOLVER or parsed.version != LAN.version or parsed not in LAN:
            found.setdefault(GATEWAY, []).append(text)
    for name, several in devices.items():
        found[name] = [mac for address in several for mac in found.get(address, ())]
    phones = {mac for name in devices for mac in found[name]}
    found[GATEWAY] = [mac for mac in found.get(GATEWAY, ()) if mac not in phones]
    return found


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"--only: found {name!r}, expected an incident ({', '.join(known) or 'this recording has none'}){hint}"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _addresses(truth: Truth) -> list[tuple[str, str]]:
    return [(address, name) for name, address in truth.devices.items()] + list(truth.further.items())


def _spoken(source: Source, folder: Path, incidents: Collection[str]) -> NDArray[np.bool_]:
    """The frames of the incidents' conversations: a frame is of the last that began on its pair of sockets."""
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "truth/flows.parquet").to_pylist()
    begun: dict[tuple[Any, ...], list[tuple[int, bool]]] = {}
    for row in table:
        ends = sorted([(row["client"], row["client_port"]), (row["server"], row["server_port"])])
        begun.setdefault((*ends, row["proto"]), []).append((row["start"], row["incident"] in incidents))
    wanted = {key: sorted(said) for key, said in begun.items() if any(ours for _, ours in said)}
    keep = np.zeros(len(source), np.bool_)
    ported = np.flatnonzero(source.flow >= 0)
    flows, first = np.unique(source.flow[ported], return_index=True)
    order = np.argsort(source.flow[ported], kind="stable")
    bounds = np.searchsorted(source.flow[ported][order], np.append(flows, flows[-1:] + 1))
    for number, row in enumerate(ported[first].tolist()):
        said = wanted.get(_key(source, row))
        if said:
            rows = ported[order[bounds[number] : bounds[number + 1]]]
            starts = np.array([start for start, _ in said]) - _SLACK_US
            place = np.maximum(np.searchsorted(starts, source.time[rows], side="right") - 1, 0)
            keep[rows] = np.array([ours for _, ours in said])[place]
    return keep


def _key(source: Source, row: int) -> tuple[Any, ...]:
    here = (source.addresses[source.source[row]], int(source.source_port[row]))
    there = (source.addresses[source.target[row]], int(source.target_port[row]))
    return (*sorted([here, there]), "tcp" if source.protocol[row] == TCP else "udp")


def _looked_up(source: Source, names: Collection[str], whose: Collection[str]) -> NDArray[np.bool_]:
    """The DNS datagrams in which one of these addresses asks for one of these names, and their answers."""
    wire = [b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0" for name in names]
    own = np.array([address in whose for address in source.addresses], np.bool_)
    keep = np.zeros(len(source), np.bool_)
    dns = (source.protocol == UDP) & ((source.source_port == _DNS) | (source.target_port == _DNS))
    for row in np.flatnonzero(dns).tolist():
        if own[source.source[row]] or own[source.target[row]]:
            begin = int(source.at[row])
            said = source.file.span(begin, begin + int(source.size[row])).lower()
            keep[row] = any(name in said for name in wire)
    return keep
