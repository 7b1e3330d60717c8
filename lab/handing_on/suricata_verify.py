"""A test of suricata-verify: test.yaml, the packets, and rules if any; what is checked is what was played.

Without rules it checks that Suricata sees the look-ups, handshakes and requests. With rules: that each incident of a
rule's analytic has an alert in one of its flows, and that no other flow has one. A test whose rules miss or cry wolf
fails. Keys of test.yaml, and TEST_DIR, are from memory of suricata-verify's README and its tests.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, BinaryIO

from detector.contract import detector
from lab.errors import Unsupported
from lab.handing_on.labelled import Labelled
from lab.handing_on.source import Part, Source
from lab.handing_on.yaml_text import yaml_text
from lab.handing_on.zeek_labeled import requests

Check = Mapping[str, Any]
FLOWS = "expected-flows.json"
#: Of an alert, its flow as expected-flows.json writes it: both ends, in order.
_KEY = '[.src_ip + " " + (.src_port|tostring), .dest_ip + " " + (.dest_port|tostring)] | sort | join(" ")'


def parts(source: Source) -> Iterator[Part]:
    """The files of the test's folder; Unsupported for a recording without packets, or rules that Suricata must read."""
    capture = source.capture
    if capture is None:
        stage = source.recording.stage
        raise Unsupported(f"suricata-verify reads packets; this recording (stage {stage}) has none: record it on wire")
    checks = list(_seen(source))
    if source.rules:
        rules: Any = detector(f"suricata:{source.rules}")
        by_analytic: dict[str, list[int]] = {}
        for sid, analytic in rules.analytics.items():
            by_analytic.setdefault(analytic, []).append(sid)
        text = "".join(rule.text + "\n" for rule in rules.rules)
        yield Part("test.rules", text.encode("utf-8", "surrogateescape"))
        yield Part(FLOWS, (json.dumps(expected(source), indent=1) + "\n").encode())
        checks += [check for analytic, sids in sorted(by_analytic.items()) for check in _alerts(source, analytic, sids)]
    about = f"{source.name}, recorded by droidrange {source.recording.version}: written by droidrange export"
    whole = {"requires": {"min-version": 7}, "args": ["-k none"], "checks": checks}
    yield Part("test.yaml", yaml_text(whole, about))
    yield Part("input.pcap", copied(capture))


def expected(source: Source) -> dict[str, dict[str, list[str]]]:
    """By analytic and incident the flows that are its own, look-ups for it included, each as _KEY has them."""
    own: dict[str, set[str]] = {one.incident: set() for one in source.truth.incidents}
    for flow in source.flows:
        if flow.incident in own:
            own[flow.incident].add(key(flow))
    found: dict[str, dict[str, list[str]]] = {one.analytic: {} for one in source.truth.incidents}
    for one in source.truth.incidents:
        found[one.analytic][one.incident] = sorted(own[one.incident])
    return found


def key(one: Labelled) -> str:
    """Both ends of a flow, in order, addresses as Suricata writes them (IPv6 in full)."""
    ends = [(one.flow[side], one.flow[f"{side}_port"]) for side in ("client", "server")]
    return " ".join(sorted(f"{ip_address(address).exploded} {port}" for address, port in ends))


def _seen(source: Source) -> Iterator[Check]:
    """How many look-ups, handshakes and requests there are: in all, and of the names of each incident."""
    names = {name for one in source.truth.incidents for name in one.peers}
    asked = Counter(look["qname"] for look in source.rows("dns"))
    yield _count(asked.total(), {"event_type": "dns", "dns.type": "query"}, **{"lt-version": 8})
    yield _count(asked.total(), {"event_type": "dns", "dns.type": "request"}, **{"min-version": 8})
    greeted = Counter(one.flow["sni"] for one in source.flows if one.flow["app_proto"] == "tls")
    yield _count(greeted.total(), {"event_type": "tls"})
    spoken = Counter(row["host"] for _, row in requests(source))
    for name in sorted(names):
        if count := asked[name]:
            told = {"event_type": "dns", "dns.type": "query", "dns.rrname": name}
            yield _count(count, told, **{"lt-version": 8})
        if count := greeted[name]:
            yield _count(count, {"event_type": "tls", "tls.sni": name})
        if count := spoken[name]:
            yield _count(count, {"event_type": "http", "http.hostname": name})


def _count(count: int, match: Mapping[str, Any], **more: int) -> Check:
    return {"filter": {**more, "count": count, "match": match}}


def _alerts(source: Source, analytic: str, sids: list[int]) -> Iterator[Check]:
    """An alert in each incident of the analytic, and none in any other flow."""
    mine = f'.event_type == "alert" and (.alert.signature_id | IN({",".join(map(str, sorted(sids)))}))'
    read = f'jq -n --slurpfile flows "${{TEST_DIR:-..}}/{FLOWS}"'
    for one in source.truth.incidents:
        if one.analytic == analytic:
            place = f"$flows[0][{json.dumps(analytic)}][{json.dumps(one.incident)}]"
            known = f"({place} | map({{(.): 1}}) | add // {{}}) as $own"
            yield _shell(f"{read} '{known} | [inputs | select({mine}) | {_KEY}] | any(.[]; $own[.] == 1)'", "true")
    known = f"([$flows[0][{json.dumps(analytic)}] // {{}} | .[][] | {{(.): 1}}] | add // {{}}) as $own"
    yield _shell(f"{read} '{known} | [inputs | select({mine}) | {_KEY}] | map(select($own[.] != 1)) | length'", "0")


def _shell(words: str, expect: str) -> Check:
    return {"shell": {"args": f"{words} eve.json", "expect": expect}}


def copied(path: Path) -> Callable[[BinaryIO], None]:
    """Who writes the content of that file into an open one."""

    def write(file: BinaryIO) -> None:
        with path.open("rb") as packets:
            shutil.copyfileobj(packets, file)

    return write
