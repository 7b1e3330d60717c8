"""Texts told once: a packed telemetry says what the plain one does, in whatever chunks it comes, to every reader."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from detector.columns import codes
from detector.contract import detector, write_findings
from detector.packed import OFTEN, encoded, packed, plain
from tests.bench.detection.many_sessions import NEW, telemetry


def test_packed_flows_are_the_same_flows():
    made = telemetry(500, 1)
    found = packed(made)["flows"]
    assert plain(found).equals(made["flows"])
    assert {name for name in found.column_names if pa.types.is_dictionary(found[name].type)} < set(OFTEN)
    assert pa.types.is_dictionary(found["device"].type)
    assert pa.types.is_string(found["proxy"].type), "nothing is said there"


def test_sessions_made_packed_are_the_same_sessions():
    made, held = telemetry(500, 1), telemetry(500, 1, packed=True)
    assert plain(held["flows"]).equals(made["flows"])
    made["flows"].validate(full=True)
    assert packed(held)["flows"].equals(held["flows"])


def test_no_flows_no_packing():
    made = telemetry(100, 1)
    bare = replace(made, tables={})
    assert packed(bare) is bare


def test_chunks_share_one_dictionary():
    column = encoded(pa.chunked_array([["b", "a"], [None, "a", "c"]]))
    assert {tuple(chunk.dictionary.to_pylist()) for chunk in column.chunks} == {("b", "a", "c")}
    read = codes(column)
    assert [read.text(row) for row in range(5)] == ["b", "a", None, "a", "c"]


def test_findings_do_not_depend_on_how_texts_are_held():
    made = telemetry(6_000, 3, new=NEW)
    flows = pa.concat_tables([made["flows"].slice(2_000), made["flows"].slice(0, 2_000)])
    whole = replace(made, tables={**made.tables, "flows": flows})
    again = replace(made, tables={**made.tables, "flows": flows.combine_chunks()})
    found = [list(write_findings(detector("builtin").detect(one))) for one in (whole, again, packed(whole))]
    assert found[0]
    assert found[0] == found[1] == found[2]
