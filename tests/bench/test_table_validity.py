"""The table of validity: what it cuts, counts and refuses; and, where the tools are, that damage does not pass."""

import json
import sys
from collections import Counter
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from lab.recording import CAPTURE
from lab.scenario import find_scenario, load_scenario
from lab.stages import play

BENCH = Path(__file__).parent
CAPTURES = BENCH.parents[2] / "shared" / "data" / "captures"
HOUR = 3_600_000_000
FIN = ["tshark", "note", "TCP", "This frame initiates the connection closing"]
FORGOTTEN = ["Suricata", "stream", "stream.fin_but_no_session", "", "443", 1]
RETRANSMISSION = ["tshark", "note", "TCP", "This frame is a (suspected) retransmission"]


@pytest.fixture(scope="module")
def table():
    sys.path.insert(0, str(BENCH))
    yield import_module("table_validity")
    sys.path.remove(str(BENCH))


@pytest.fixture
def tools(table):
    for name in ("tshark", "suricata"):
        if table.judges.installed(name) is None:
            pytest.skip(f"{name} is not installed")


def row(**changes):
    known = {"scenario": "one", "hours": 24.0, "packets": 10, "cpu_s": 2.0, "wall_s": 3.0, "peak_mib": 150.0}
    return {**known, "lossy": False, "read": [10, 10], "classes": [[*FIN, 4]], "strangers": [], "clear": 2, **changes}


REUSED = ("tshark", "note", "TCP", "A new tcp session is started with the same ports as an earlier session")


@pytest.mark.parametrize(("conversations", "excused"), [(90_000, True), (5_000, False)])
def test_ports_come_round_on_a_phone_that_used_them_all_and_on_no_other(table, conversations, excused):
    assert (table.wrong(row(classes=[[*REUSED, 84]], conversations=conversations)) == []) is excused


def test_all_of_full_and_of_the_month_is_judged(table):
    names = table.scenarios()
    assert len(set(names)) == len(names) > 120
    assert {"ordinary-day", "month-office"} <= set(names)


def test_a_scenario_is_cut_to_phones_and_span(table):
    whole = load_scenario(find_scenario("installed-moved-removed"))
    short = table.cut(whole, 1, 25 * HOUR)
    assert (short.devices, short.span) == (1, 25 * HOUR)
    assert {app.on for app in short.apps} == {1}
    assert all(app.installed < short.span for app in short.apps)
    assert all(one is None or one < short.span for app in short.apps for one in (app.moves, app.removed))
    assert len(short.apps) < len(whole.apps) or any(app.removed or app.moves for app in whole.apps)
    assert table.cut(whole, 3) == replace(whole, devices=min(3, whole.devices))


def test_nothing_is_wrong_with_a_row_of_what_is_tolerated(table):
    assert table.wrong(row()) == []
    assert table.wrong(row(classes=[[*RETRANSMISSION, 2]], lossy=True)) == []
    assert table.wrong(row(classes=[FORGOTTEN], lossy=True)) == []
    assert table.wrong(row(classes=[FORGOTTEN])) == ["1 x Suricata stream stream.fin_but_no_session  443"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"classes": [[*RETRANSMISSION, 2]]}, "2 x tshark note TCP This frame is a (suspected) retransmission"),
        (
            {"classes": [["tshark", "malformed", "DNS", "Malformed Packet", 1]], "lossy": True},
            "1 x tshark malformed DNS",
        ),
        ({"classes": [["Suricata", "stream", "stream.pkt_retransmission", "", "443", 1]]}, "1 x Suricata stream"),
        ({"classes": [["Suricata", "decode", "invalid", "", "0", 1]], "lossy": True}, "1 x Suricata decode"),
        ({"strangers": ["who.example"]}, "name of nobody: who.example"),
        ({"read": [9, 10]}, "tshark read 9 of 10 packets"),
        ({"fault": "no disk"}, "no disk"),
    ],
)
def test_what_is_wrong_is_said_in_the_row_and_by_the_page(table, changes, said):
    found = row(**changes)
    assert table.wrong(found)[0].startswith(said)
    text = table.page([row(scenario="other"), found])
    assert ": 1 with something wrong." in text
    assert said in text


def test_the_page_names_whoever_loses_packets(table):
    text = table.page([row(), row(scenario="two", lossy=True), row(scenario="three", lossy=True)])
    assert "Packets are lost on purpose in 2 of them: two, three." in text
    assert "Packets are lost on purpose in 0 of them: none." in table.page([row()])


def test_the_page_on_disk_names_whoever_loses_packets_today(table):
    known = [name for name in table.scenarios() if load_scenario(find_scenario(name)).network.loss > 0]
    said = f"Packets are lost on purpose in {len(known)} of them: {', '.join(known)}."
    assert len(known) > 1
    assert said in (table.ROOT / "docs" / "validity.md").read_text()


@pytest.mark.parametrize("kind", ["malformed", "error", "decode"])
def test_no_loss_excuses_what_is_malformed(table, kind):
    assert [one.pattern for one in table.tolerances.TOLERATED if kind in one.pattern] == []


def test_names_are_the_timelines_and_addresses_the_labs(table):
    seen = {
        "a.example:8080",
        "x.zone.test",
        "10.88.1.2:80",
        "[2001:db8::1]:443",
        "_http._tcp.local",
        "8.8.8.8",
        "evil.com",
    }
    assert table.strangers(seen, {"a.example"}, {"zone.test"}) == ["8.8.8.8", "evil.com"]


def test_rows_that_are_kept_are_not_made_again(table, tmp_path, capsys):
    kept = tmp_path / "rows"
    kept.write_text(json.dumps(row(scenario="smoke-poll")) + "\n")
    code = table.main(["smoke-poll", "--rows", str(kept), "--out", str(tmp_path / "page.md")])
    if code == table.FAILED:
        assert "not installed" in capsys.readouterr().err
    else:
        assert code == table.NOTHING_WRONG
        assert "| smoke-poll | 24 | 10 |" in (tmp_path / "page.md").read_text()


@pytest.mark.tools
def test_a_scenario_is_recorded_judged_and_deleted(table, tools, tmp_path):
    found = table.judged("smoke-poll", tmp_path)
    assert table.wrong(found) == []
    assert found["read"] == [found["packets"]] * 2
    assert found["flows"] == found["conversations"]
    assert found["peak_mib"] > 10
    assert list(tmp_path.iterdir()) == []
    assert "fault" in table.judged("no-such-scenario", tmp_path)


@pytest.mark.tools
def test_damage_is_found_by_both(table, tools, tmp_path):
    timeline = table.compile_scenario(load_scenario(find_scenario("smoke-poll")), 1)
    folder = play("wire", timeline, tmp_path / "rec")
    data = bytearray((folder / CAPTURE).read_bytes())
    data[24 + 16 + 14 + 15] ^= 1  # an address of the first packet: its checksum is wrong
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(data)
    expert = table.judges.by_tshark(bad)
    assert any(kind == "error" and "checksum" in message for kind, _, message in expert.classes)
    data[24 + 16 + 14] = 0x42  # IPv4 with a header of 8 bytes
    bad.write_bytes(data)
    found = table.judges.by_suricata(bad, tmp_path / "eve")
    assert found.invalid
    assert {kind for kind, *_ in found.classes} == {"decode"}


@pytest.mark.tools
def test_suricata_sees_a_hole_in_a_stream(table, tools, tmp_path):
    timeline = table.compile_scenario(load_scenario(find_scenario("smoke-poll")), 1)
    folder = play("wire", timeline, tmp_path / "rec")
    data = (folder / CAPTURE).read_bytes()
    places, place = [], 24
    while place < len(data):
        size = int.from_bytes(data[place + 8 : place + 12], "little")
        places.append((place, place + 16 + size))
        place = places[-1][1]
    full = next(k for k, (first, last) in enumerate(places) if last - first == 16 + 1514)
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(data[: places[full][0]] + data[places[full][1] :])
    found = table.judges.by_suricata(bad, tmp_path / "eve")
    assert "stream" in {kind for kind, *_ in found.classes}
    expert = Counter(message for _, _, message in table.judges.by_tshark(bad).classes)
    assert any("not captured" in message or "wasn't captured" in message for message in expert)


@pytest.mark.tools
@pytest.mark.captures
def test_real_captures_show_what_is_tolerated(table, tools, tmp_path):
    if not CAPTURES.is_dir():
        pytest.skip("the captures are not beside this checkout")
    shown = [one for one in table.tolerances.TOLERATED if one.shown_by]
    assert shown
    said = {}
    for name in {one.shown_by for one in shown}:
        (capture,) = (path for path in (CAPTURES / name).iterdir() if path.suffix in (".pcap", ".pcapng", ".cap"))
        expert = table.judges.by_tshark(capture)
        anomalies = table.judges.by_suricata(capture, tmp_path / name)
        said[name] = [("tshark", *what) for what in expert.classes]
        said[name] += [("Suricata", *map(str, what)) for what in anomalies.classes]
    assert [
        one
        for one in shown
        if not any(one.covers(what, {table.tolerances.LOSS, table.tolerances.ROUNDS}) for what in said[one.shown_by])
    ] == []
