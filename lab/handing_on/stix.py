"""A STIX 2.1 bundle of findings: each alert a sighting of its ATT&CK technique, with what was observed.

OASIS STIX 2.1 (from memory of the standard): sightings (section 5.2) of an attack-pattern, observed-data (4.14) of
network-traffic and addresses (6). Identifiers are deterministic (UUID 5), so the same findings are the same bundle.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from detector.contract import Finding, rfc3339
from lab.handing_on.ocsf import TECHNIQUES, finding_uid
from lab.handing_on.source import Part, Source

Object = dict[str, Any]
SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:droidrange:stix")
#: Name space of the identifiers of cyber-observable objects (STIX 2.1, section 2.9).
OBSERVABLES = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")


def parts(source: Source) -> Iterator[Part]:
    """bundle.json of the alerts; near misses are no sightings. LookupError without findings."""
    if not source.findings:
        raise LookupError(
            "stix is of findings: found none; give --findings FILE, which droidrange detect -o FILE writes"
        )
    yield Part("bundle.json", (json.dumps(bundle(source.findings), indent=1, ensure_ascii=False) + "\n").encode())


def bundle(findings: tuple[Finding, ...]) -> Object:
    """The bundle: identity, techniques, and for each alert its observables, observed-data and sighting."""
    alerts = [one for one in findings if one.alert]
    first = rfc3339(min((one.decided_at for one in findings), default=0))
    who = _made("identity", "droidrange", first, {"name": "droidrange", "identity_class": "system"})
    objects = {who["id"]: who}
    for analytic in sorted({one.analytic for one in alerts}):
        pattern = _technique(analytic, first)
        objects[pattern["id"]] = pattern
    for one in alerts:
        for made in _sighted(one, who["id"], _technique(one.analytic, first)["id"]):
            objects.setdefault(made["id"], made)
    told = list(objects.values())
    seed = "".join(finding_uid(one) for one in alerts)
    return {"type": "bundle", "id": f"bundle--{uuid.uuid5(SPACE, seed)}", "objects": told}


def _technique(analytic: str, time: str) -> Object:
    number, name = TECHNIQUES[analytic]
    url = f"https://attack.mitre.org/techniques/{number}"
    reference = {"source_name": "mitre-attack", "external_id": number, "url": url}
    return _made("attack-pattern", number, time, {"name": name, "external_references": [reference]})


def _sighted(one: Finding, who: str, technique: str) -> Iterator[Object]:
    uid, time = finding_uid(one), rfc3339(one.decided_at)
    seen = {"first": rfc3339(one.first_seen), "last": rfc3339(one.last_seen)}
    observables = list(_observables(one))
    yield from observables
    refs = [made["id"] for made in observables]
    span = {"first_observed": seen["first"], "last_observed": seen["last"], "number_observed": 1}
    data = _made("observed-data", uid, time, {**span, "object_refs": refs, "created_by_ref": who})
    yield data
    told = " ".join(reason.text for reason in one.reasons)
    sighting = {
        "created_by_ref": who,
        "first_seen": seen["first"],
        "last_seen": seen["last"],
        "count": 1,
        "confidence": round(one.score * 100),
        "description": f"{one.analytic} on {one.device}, {one.package or 'app unknown'}: {told}",
        "sighting_of_ref": technique,
        "observed_data_refs": [data["id"]],
        "where_sighted_refs": [who],
    }
    yield _made("sighting", uid, time, sighting)


def _observables(one: Finding) -> Iterator[Object]:
    """The app, or the device where it is not known, and the peer."""
    yield _observable("software", {"name": one.package or one.device})
    if one.peer is not None:
        host = one.peer.partition(":")[0] if one.peer.count(":") == 1 else one.peer
        try:
            kind = f"ipv{ip_address(host).version}-addr"
        except ValueError:
            kind = "domain-name"
        yield _observable(kind, {"value": host})


def _observable(kind: str, told: Mapping[str, Any]) -> Object:
    """A cyber-observable; its identifier is of its contributing properties, as the standard has it."""
    name = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid.uuid5(OBSERVABLES, name)}", **told}


def _made(kind: str, key: str, time: str, told: Mapping[str, Any]) -> Object:
    name = f"{kind}--{uuid.uuid5(SPACE, f'{kind}/{key}')}"
    return {"type": kind, "spec_version": "2.1", "id": name, "created": time, "modified": time, **told}
