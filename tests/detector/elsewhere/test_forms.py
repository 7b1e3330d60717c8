"""Which tool wrote a file: by its first line, packed or not, and what none of them wrote."""

from __future__ import annotations

import gzip
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.elsewhere.forms import EVE, NATIVE, NOTHING, RITA, SLIPS, form_of, lines_of
from detector.fenced import Failed

LINES = {
    NATIVE: '{"analytic": "AN1793", "device": "phone-01"}',
    EVE: '{"timestamp": "2026-03-02T00:00:00.000000+0000", "event_type": "stats"}',
    RITA: "Severity,Source IP,Destination IP,FQDN,Beacon Score",
    SLIPS: '{"Format": "IDEA0", "ID": "x"}',
}


@pytest.mark.parametrize(("form", "line"), LINES.items())
@pytest.mark.parametrize("packed", [False, True])
def test_a_form_is_told_by_the_first_line(tmp_path, form, line, packed):
    path = tmp_path / "anything.at.all"
    whole = f"\n{line}\n".encode()
    path.write_bytes(gzip.compress(whole) if packed else whole)
    assert form_of(path) == form
    assert list(lines_of(path)) == whole.splitlines(keepends=True)


def test_idmef_and_nothing(tmp_path):
    path = tmp_path / "x"
    path.write_text('{"Version": "2.D.V03", "CreateTime": "x", "Analyzer": {"Name": "Slips"}}\n')
    assert form_of(path) == SLIPS
    path.write_text("\n\n")
    assert form_of(path) == NOTHING


@pytest.mark.parametrize("line", ["<xml/>", "[1]", "{", '{"a": 1}', "a,b,c", "\x00\xff"])
def test_what_nobody_wrote_is_named_with_its_line(tmp_path, line):
    path = tmp_path / "x"
    path.write_text(f"\n{line}\n")
    with pytest.raises(Failed, match=r"x: line 2: found .*expected one of: findings.jsonl"):
        form_of(path)


def test_a_file_cut_in_its_packing_is_told(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(LINES[EVE].encode() * 999)[:-9])
    with pytest.raises(Failed, match="not to be read to its end"):
        list(lines_of(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_have_a_form_or_a_fault(tmp_path, content):
    path = tmp_path / "x"
    path.write_bytes(content)
    with suppress(Failed):
        assert form_of(path) in (*LINES, NOTHING)
