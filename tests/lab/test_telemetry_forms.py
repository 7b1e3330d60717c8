"""One recording in every form of telemetry: the builtin detector finds the same incidents wherever the fields are there.

The table of docs/telemetry.md over longer scenarios is made by tests/bench/table_telemetry.py.
"""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from detector.contract import open_telemetry


@pytest.fixture(scope="module")
def telemetry_forms():
    """The module telemetry_forms.py of tests/bench."""
    path = Path(__file__).parents[1] / "bench" / "telemetry_forms.py"
    spec = spec_from_file_location("telemetry_forms", path)
    module = module_from_spec(spec)
    import sys

    sys.modules["telemetry_forms"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def told(telemetry_forms, smoke_recording, tmp_path_factory):
    """The recording's folder, and its telemetry by form."""
    folder = smoke_recording
    return folder, {
        form.name: telemetry for form, telemetry in telemetry_forms.forms(folder, tmp_path_factory.mktemp("forms"))
    }


def test_every_form_shows_the_same_incidents(telemetry_forms, told):
    folder, by_form = told
    whole = telemetry_forms.judged(folder, "full", telemetry_forms.viewed(folder, "full"))
    assert whole.found, "an empty set would prove nothing"
    seen = {name: telemetry_forms.judged(folder, name, telemetry).found for name, telemetry in by_form.items()}
    assert seen == dict.fromkeys(seen, whole.found)


def test_every_form_has_the_same_flows(told):
    folder, by_form = told
    mine = ("client", "client_port", "server", "server_port", "start", "proto")
    expected = keyed(open_telemetry(folder / "telemetry"), mine)
    for name, telemetry in by_form.items():
        coarse = name in ("NetFlow", "PCAPdroid CSV")  # their times are milliseconds
        exact = (*mine[:4], "proto") if coarse else mine
        assert keyed(telemetry, exact) == {tuple(row[mine.index(one)] for one in exact) for row in expected}, name


def keyed(telemetry, names):
    rows = [row for row in telemetry["flows"].to_pylist() if not row["inbound"]]
    return {tuple(row[name] for name in names) for row in rows}


@pytest.mark.parametrize("form", ["PCAPdroid pcap with trailers", "PCAPdroid pcapng", "PCAPdroid CSV"])
def test_a_phone_tells_the_app_of_each_flow(told, form):
    folder, by_form = told
    apps = {
        row["flow"]: (row["uid"], row["package"]) for row in open_telemetry(folder / "telemetry")["flows"].to_pylist()
    }
    found = {row["flow"]: (row["uid"], row["package"]) for row in by_form[form]["flows"].to_pylist()}
    named = "trailers" not in form  # a trailer has the app's label, which is no key
    for flow, (uid, package) in apps.items():
        assert found[flow] == (uid, package if named and uid is not None else None)


def test_what_a_form_lacks_is_absent_or_null_and_never_zero(told):
    _, by_form = told
    assert set(by_form["NetFlow"].tables) == {"flows"}
    assert "exchanges" not in by_form["Zeek conn, dns, ssl, http, socks"]
    assert "exchanges" not in by_form["EVE flow, dns, tls, http"]
    flows = by_form["NetFlow"]["flows"]
    assert {flows[name].null_count for name in ("name", "sni", "app_proto", "uid")} == {flows.num_rows}


def test_suricata_itself_shows_the_same(telemetry_forms, told, tmp_path):
    if not telemetry_forms.has_suricata():
        pytest.skip("Suricata is not installed")
    folder, by_form = told
    telemetry = telemetry_forms.suricata(folder, tmp_path)
    assert telemetry["flows"].num_rows == by_form["pcap"]["flows"].num_rows
    assert (
        telemetry_forms.judged(folder, "suricata", telemetry).found
        == telemetry_forms.judged(folder, "pcap", by_form["pcap"]).found
    )
