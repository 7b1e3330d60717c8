"""What a file is, by its first bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.imports import form
from detector.imports.form import FORMS, form_of, is_capture

HEADS = [
    (b"#separator \\x09\n#path\tconn\n", form.ZEEK_TSV),
    (b"#fields\tts\tuid\n", form.ZEEK_TSV),
    (b'{"ts":1.0,"uid":"C","id.orig_h":"10.0.0.1"}\n', form.ZEEK_JSON),
    (b'{"@stream":"conn","ts":1.0,"id_orig_h":"10.0.0.1"}\n', form.ZEEK_JSON),
    (b'{"timestamp":"2026-03-02T00:00:00+0000","event_type":"flow"}\n', form.EVE),
    (b'{"timestamp":"2026-03-02T00:00:00+0000","event_type":"fl', form.EVE),
    (b'{"type":"FLOW","src4_addr":"10.0.0.1"}\n', form.NETFLOW_JSON),
    (b'[{\n\t"type" : "FLOW",\n\t"src4_addr" : "10.0.0.1"\n}]', form.NETFLOW_JSON),
    (b"ts,te,td,sa,da,sp,dp,pr\n", form.NETFLOW_CSV),
    (b"firstSeen,duration,proto,srcAddr\n", form.NETFLOW_CSV),
    (b"IPProto,SrcIP,SrcPort,DstIp\n", form.PCAPDROID),
    (b'{"log":{"version":"1.2","entries":[]}}', form.HAR),
    (b'{\n  "log" : {\n "entries": [', form.HAR),
    (b"2022-04-01T12:02:47.763Z info: client @0x7f 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.9)\n", form.BIND),
    (b"device,package,uid\n", form.INVENTORY),
    (b'"Device ID";"Package_Name"\n', form.INVENTORY),
    (b"========================================================\n== dumpstate: 2026-03-02 12:00:00\n", form.BUGREPORT),
    (b"DUMP OF SERVICE power:\n", form.BUGREPORT),
    (bytes.fromhex("d4c3b2a1") + bytes(20), None),
    (bytes.fromhex("0a0d0d0a") + bytes(20), None),
    (b"# A read-me\n\nIt has words.\n", None),
    (b'{"name": "something else"}', None),
    (b"a,b,c\n1,2,3\n", None),
    (b"", None),
]


@pytest.mark.parametrize(("head", "expected"), HEADS)
def test_form_is_told_by_content(head, expected):
    assert form_of(head) == expected


def test_a_byte_order_mark_changes_nothing():
    assert form_of(b"\xef\xbb\xbfIPProto,SrcIP,SrcPort\n") == form.PCAPDROID


def test_captures_are_known():
    assert [is_capture(bytes.fromhex(magic)) for magic in ("a1b2c3d4", "0a0d0d0a", "00000000")] == [True, True, False]


@given(st.binary(max_size=300))
def test_any_bytes_have_a_form_or_none(data):
    assert form_of(data) in (*FORMS, None)


@given(st.dictionaries(st.text(max_size=12), st.integers() | st.text(max_size=5), max_size=5))
def test_any_object_has_a_form_or_none(found):
    assert form_of(json.dumps(found).encode()) in (*FORMS, None)
