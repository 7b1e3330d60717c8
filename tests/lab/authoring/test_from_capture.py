"""Candidates are the groups that can be measured; which to imitate is chosen only where it is plain."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from detector.contract import SCHEMAS, EvidenceError, Telemetry
from lab.authoring.from_capture import RECORD, Wanted, candidates, listing, one_of, sizes_of
from lab.authoring.from_capture_groups import groups_of
from lab.errors import ScenarioError

SECOND = 1_000_000
RNG = np.random.default_rng(4)


def telemetry(*groups, protocol="tls"):
    """Flows of (device, peer, times in seconds), each with one exchange of 1,022 bytes up and 522 +- 50 down."""
    said = [(device, peer, second) for device, peer, times in groups for second in times]
    flows = [
        {
            "flow": number,
            "device": device,
            "inbound": False,
            "start": int(second * SECOND),
            "client": device,
            "proto": "tcp",
        }
        | {"server": "198.18.0.1", "server_port": 443, "app_proto": protocol, "name": peer}
        for number, (device, peer, second) in enumerate(said)
    ]
    exchanges = [
        {"flow": number, "start": int(second * SECOND), "bytes_up": 1_022, "bytes_down": int(RNG.integers(472, 573))}
        for number, (_, _, second) in enumerate(said)
    ]
    rows = {"flows": flows, "exchanges": exchanges}
    tables = {name: pa.Table.from_pylist(of, schema=SCHEMAS[name]) for name, of in rows.items()}
    return Telemetry(tables, span=(0, 7_200 * SECOND))


CLOCK = [60.0 * number for number in range(100)]
PERSON = np.cumsum(np.exp(RNG.normal(3, 2.8, 100))).tolist()


def test_the_only_one_that_keeps_a_law_is_imitated():
    found = candidates(telemetry(("phone", "a.example", CLOCK), ("phone", "b.example", PERSON)), Wanted())
    assert [one.worth for one in found] == [True, False]
    chosen = one_of(found, Wanted())
    assert chosen
    assert chosen.group.peer == "a.example"
    assert chosen.law.name == "fixed"
    assert "follows no law" in listing(found).splitlines()[1]


def test_of_several_one_must_be_named():
    said = telemetry(("phone", "x.a.example", CLOCK), ("pad", "b.example", CLOCK), ("phone", "nota.example", PERSON))
    assert one_of(candidates(said, Wanted()), Wanted()) is None
    for wanted in (
        Wanted(peer="a.example"),
        Wanted(peer="x.a.example", device="phone"),
        Wanted("phone", "x.a.example"),
    ):
        found = candidates(said, wanted)
        assert [one.group.peer for one in found] == ["x.a.example"]
        assert one_of(found, wanted) is found[0]
    named = Wanted(peer="nota.example", app="unknown")
    assert one_of(candidates(said, named), named), "who is named is imitated, law or not"
    with pytest.raises(ScenarioError, match=r"peer 'c\.example': found nobody with 8 contacts"):
        candidates(said, Wanted(peer="c.example"))


def test_many_are_listed_in_part():
    said = telemetry(*(("phone", f"p{number}.example", CLOCK) for number in range(14)))
    lines = listing(candidates(said, Wanted())).splitlines()
    assert len(lines) == 13
    assert lines[-1] == "... and 2 more: --json has all"


def test_seven_contacts_are_too_few():
    with pytest.raises(EvidenceError, match="no app and destination with 8 contacts"):
        candidates(telemetry(("phone", "a.example", CLOCK[:7])), Wanted())
    assert len(candidates(telemetry(("phone", "a.example", CLOCK[:8])), Wanted())) == 1


@pytest.mark.parametrize(("protocol", "less"), [("tls", RECORD), ("http", 0)])
def test_sizes_are_medians_without_the_records_of_tls(protocol, less):
    (group,) = groups_of(telemetry(("phone", "a.example", CLOCK), protocol=protocol))
    sizes = sizes_of(group)
    assert sizes.up == 1_022 - less
    assert sizes.down == pytest.approx(522 - less, abs=15)
    assert sizes.spread == pytest.approx((0 + 50 / 522) / 2, abs=0.02)


def test_what_was_measured_is_json():
    (one,) = candidates(telemetry(("phone", "a.example", CLOCK)), Wanted())
    row = json.loads(json.dumps(one.to_json(), allow_nan=False))
    assert (row["contacts"], row["median_period_s"], row["law"]["shape"]) == (100, 60.0, "fixed")
    assert row["opening"]["gate"] == "always"
