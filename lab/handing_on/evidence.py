"""The evidence of one finding: what was said, and the flows, exchanges, look-ups and packets that it was said of.

The truth is left out, unless it is asked for. An incident's own word of what is true is then in truth.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from detector.contract import Finding, rfc3339
from lab.errors import EvidenceError
from lab.handing_on.kept_packets import Key, flow_key, keep
from lab.handing_on.labelled import Labelled
from lab.handing_on.ocsf import PROTOCOLS
from lab.handing_on.source import Part, Source, json_lines

Row = Mapping[str, Any]


def parts(source: Source) -> Iterator[Part]:
    """finding.json, README.md, tables as JSON lines, capture.pcap; truth.json if asked. LookupError for no finding."""
    finding = chosen(source)
    mine = flows_of(source, finding)
    if not mine:
        raise EvidenceError(f"found no flow of {finding.device} and {finding.peer} in {source.recording.folder}")
    numbers = {one.flow["flow"] for one in mine}
    yield Part("finding.json", (json.dumps(finding.to_json(), indent=1, ensure_ascii=False) + "\n").encode())
    yield Part("README.md", _read_me(source, finding, len(mine)).encode())
    yield Part("flows.jsonl", json_lines([dict(one.flow) for one in mine]))
    for table in ("exchanges", "dns"):
        if rows := [row for row in source.rows(table) if row["flow"] in numbers]:
            yield Part(f"{table}.jsonl", json_lines(rows))
    if source.capture:
        yield Part("capture.pcap", lambda file: _packets(source, mine, file))
    if source.with_truth:
        told = [{"flow": one.flow["flow"], "label": one.label[0], "incident": one.incident} for one in mine]
        yield Part("truth.json", (json.dumps({"flows": told}, indent=1, ensure_ascii=False) + "\n").encode())


def chosen(source: Source) -> Finding:
    """The finding of that number, from 1, else the first alert; LookupError where there is none."""
    count = len(source.findings)
    if not count:
        raise LookupError("evidence is of a finding: found none; give --findings FILE, of droidrange detect -o FILE")
    if source.number is None:
        return next((one for one in source.findings if one.alert), source.findings[0])
    if not 1 <= source.number <= count:
        raise LookupError(f"--finding: found {source.number}, expected 1 to {count}")
    return source.findings[source.number - 1]


def flows_of(source: Source, finding: Finding) -> list[Labelled]:
    """The device's and app's flows in the finding's time: with its peer, or look-ups of it; all where it has none."""
    looked = {row["flow"] for row in source.rows("dns") if _is(finding.peer, row["qname"])}
    return [
        one
        for one in source.flows
        if finding.device in (one.flow["device"], one.flow["client"], one.flow["server"])
        and one.flow["start"] <= finding.last_seen
        and one.flow["end"] >= finding.first_seen
        and (one.flow["flow"] in looked or (_apps(finding, one.flow) and _with(finding.peer, one.flow)))
    ]


def _apps(finding: Finding, flow: Row) -> bool:
    return finding.uid is None or flow["uid"] is None or flow["uid"] == finding.uid


def _with(peer: str | None, flow: Row) -> bool:
    return peer is None or any(_is(peer, flow[name]) for name in ("name", "sni", "host", "server", "client"))


def _is(peer: str | None, name: str | None) -> bool:
    """Whether a name is the peer's: itself, or below it."""
    return peer is not None and name is not None and (name == peer or name.endswith("." + peer))


def _packets(source: Source, mine: list[Labelled], file: BinaryIO) -> None:
    keys = {_key(one.flow) for one in mine}
    span = (min(one.flow["start"] for one in mine), max(one.flow["end"] for one in mine))
    if source.capture:
        keep(source.capture, keys, span, file)


def _key(flow: Row) -> Key:
    number = PROTOCOLS.get(flow["proto"], -1)
    return flow_key(flow["client"], flow["client_port"], flow["server"], flow["server_port"], number)


def _read_me(source: Source, finding: Finding, flows: int) -> str:
    who = f"{finding.device}, {finding.package or 'app unknown'}" + (f", with {finding.peer}" if finding.peer else "")
    kind = "Alert" if finding.alert else "Near miss"
    seen = f"Seen from {rfc3339(finding.first_seen)} to {rfc3339(finding.last_seen)}"
    lines = [f"# {finding.analytic}: {who}", "", f"{kind}, {finding.severity}, score {finding.score:.3f}."]
    lines += [f"{seen}, decided at {rfc3339(finding.decided_at)} by {finding.detector} {finding.detector_version}."]
    lines += [f"Of recording {source.name}: {flows} flows.", "", "## Reasons", ""]
    lines += [f"- {one.text} ({one.feature}, weight {one.weight:.3f})" for one in finding.reasons]
    return "\n".join(lines) + "\n"
