"""STIX: a bundle in which every reference is met, sightings of alerts alone, the same again."""

import json
import re
from dataclasses import replace

import pytest

from lab.handing_on.stix import bundle, parts

#: What STIX 2.1 requires of each type, beside type and id (from memory of the standard).
COMMON = {"spec_version", "created", "modified"}
REQUIRED = {
    "identity": {*COMMON, "name"},
    "attack-pattern": {*COMMON, "name"},
    "observed-data": {*COMMON, "first_observed", "last_observed", "number_observed", "object_refs"},
    "sighting": {*COMMON, "sighting_of_ref"},
    "software": {"name"},
    "domain-name": {"value"},
    "ipv4-addr": {"value"},
    "ipv6-addr": {"value"},
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture(scope="module")
def made(judged):
    (part,) = parts(judged)
    return json.loads(part.content)


def test_every_object_has_what_its_type_requires(made):
    assert made["type"] == "bundle"
    for one in made["objects"]:
        assert one.keys() >= REQUIRED[one["type"]] | {"type", "id"}
        assert re.fullmatch(
            one["type"] + r"--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one["id"]
        )
        times = ("created", "modified", "first_seen", "last_seen", "first_observed", "last_observed")
        assert all(TIME.fullmatch(one[name]) for name in times if name in one)


def test_every_reference_is_met_and_none_is_said_twice(made):
    names = [one["id"] for one in made["objects"]]
    assert len(names) == len(set(names))
    refs = [one[key] for one in made["objects"] for key in one if key.endswith("_ref")]
    refs += [ref for one in made["objects"] for key in one if key.endswith("_refs") for ref in one[key]]
    assert refs
    assert set(refs) <= set(names)


def test_alerts_are_sightings_and_near_misses_are_none(made, judged):
    sightings = [one for one in made["objects"] if one["type"] == "sighting"]
    alerts = [one for one in judged.findings if one.alert]
    assert [one["confidence"] for one in sightings] == [round(one.score * 100) for one in alerts] != []
    near = tuple(replace(one, alert=False) for one in judged.findings)
    assert {one["type"] for one in bundle(near)["objects"]} == {"identity"}


def test_peers_are_what_they_are(judged):
    alert = next(one for one in judged.findings if one.alert)
    for peer, kind, value in (
        ("a.test", "domain-name", "a.test"),
        ("a.test:443", "domain-name", "a.test"),
        ("198.18.0.1", "ipv4-addr", "198.18.0.1"),
        ("2001:db8::1", "ipv6-addr", "2001:db8::1"),
        (None, None, None),
    ):
        objects = bundle((replace(alert, peer=peer),))["objects"]
        told = [(one["type"], one["value"]) for one in objects if "value" in one]
        assert told == ([(kind, value)] if peer else [])


def test_the_same_findings_are_the_same_bundle(made, judged):
    assert bundle(judged.findings) == made


def test_without_findings_there_is_nothing_to_sight(handed):
    with pytest.raises(LookupError, match="--findings"):
        next(parts(handed))
