"""Kinds of Zeek's logs."""

import pytest

from detector.imports.zeek_kinds import KINDS, json_name, json_schema, kind_of


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ({"conn_state": "SF"}, "conn"),
        ({"trans_id": 1}, "dns"),
        ({"cipher": "x"}, "ssl"),
        ({"trans_depth": 1, "host": "a"}, "http"),
        ({"client_initial_dcid": "x", "server_name": "a"}, "quic"),
        ({"_path": "weird", "conn_state": "SF"}, "weird"),
        ({"ts": 1}, None),
    ],
)
def test_a_line_tells_its_log(line, kind):
    assert kind_of(line) == kind


def test_no_kind_has_a_label_and_all_have_ends():
    for columns in KINDS.values():
        assert {"ts", "uid", "id.orig_h", "id.resp_h"} <= set(columns)
        assert not {"label", "detailedlabel", "detailed-label"} & set(columns)


def test_names_and_types_follow_the_sample():
    assert json_name("id.orig_h", {"id_orig_h": "x"}) == "id_orig_h"
    assert str(json_schema("conn", {"ts": "1970-01-01"}).field("ts").type) == "string"
    assert str(json_schema("dns", {"ts": 1}).field("answers").type).startswith("list")
