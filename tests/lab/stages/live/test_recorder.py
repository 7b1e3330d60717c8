"""A live run made from a wire recording comes back as that recording."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq

from detector.contract import open_telemetry
from lab.recording import open_recording
from lab.stages.live.frames import read_frames
from lab.stages.live.pace import Tempo
from lab.stages.live.tuples import index_flows

EPOCH = 1_800_000_000_123_456
SPEED = 60
CAPTURE = "telemetry/capture.pcap"
TABLES = ("sockets", "http", "device_state", "packages")


def test_a_run_comes_back_as_the_recording_it_was_made_from(staged, record):
    folder, reason = record(staged.evidence())
    assert reason == ""
    was, now = staged.frames(staged.wire / CAPTURE), staged.frames(folder / CAPTURE)
    assert [data for _, data in now] == [data for _, data in was]
    assert max(abs(a - b) for (a, _), (b, _) in zip(now, was, strict=True)) <= 1
    for name in TABLES:
        one, two = (pq.read_table(place / f"telemetry/{name}.parquet") for place in (staged.wire, folder))
        assert two.schema.equals(one.schema)
        assert two.to_pylist() == one.to_pylist(), name
    for name in ("flows", "incidents", "contacts", "devices"):
        one, two = (pq.read_table(place / f"truth/{name}.parquet") for place in (staged.wire, folder))
        assert two.equals(one), name
    logs = [(place / "truth/conn.log.labeled").read_text() for place in (staged.wire, folder)]
    assert logs[0] == logs[1]
    compressed = staged.frames(staged.capture)
    assert compressed[-1][0] - compressed[0][0] < (was[-1][0] - was[0][0]) / 50, "the control: it was played fast"


def test_it_is_a_recording_like_any_other(staged, record):
    folder, _ = record(staged.evidence())
    opened = open_recording(folder)
    assert (opened.stage, opened.speed, opened.partial) == ("live", SPEED, None)
    assert json.loads((folder / "recording.json").read_text())["repeatable"] is False
    one, two = open_telemetry(staged.wire), open_telemetry(folder)
    assert {name: table.to_pylist() for name, table in two.tables.items()} == {
        name: table.to_pylist() for name, table in one.tables.items()
    }
    assert opened.truth() == open_recording(staged.wire).truth()


def test_both_clocks_are_in_it(staged, record):
    folder, _ = record(staged.evidence())
    clock = pq.read_table(folder / "lab/clock.parquet").to_pylist()
    assert [row["late_us"] for row in clock] == [0] * len(staged.scripts)
    assert [row["opened_real"] for row in clock] == [one.opened_us for one in staged.played]
    run = json.loads((folder / "lab/run.json").read_text())
    assert run["joined"]["capture"] == run["joined"]["sockets"] == run["joined"]["conversations"] == len(staged.scripts)
    assert run["joined"]["requests"] == run["joined"]["expected"] == 2
    assert run["versions"] == {"mitmproxy": "12.2.0"}
    anchors = pq.read_table(folder / "lab/anchors.parquet").to_pylist()
    flows = index_flows(staged.scripts, staged.played, staged.courses, Tempo(EPOCH, staged.timeline.start, SPEED))
    seen = read_frames([staged.capture], flows, np.zeros(0, np.int64)).frames
    for n, wall in list(zip(seen.n.tolist(), seen.time.tolist(), strict=True))[::7]:
        time = int(staged.courses[n].scenario_time(np.array([wall - EPOCH]))[0])
        own = [row for row in anchors if row["n"] == n]
        knot = ([row for row in own if row["scenario"] <= time] or own[:1])[-1]
        back = run["epoch_us"] + knot["real"] - (-(time - knot["scenario"]) * knot["run"] // knot["rise"])
        assert back == wall, "as run.json says"


def test_lateness_in_real_time_is_lateness_in_scenario_time(staged, record):
    late = 37_000
    flows = index_flows(staged.scripts, staged.played, staged.courses, Tempo(EPOCH, staged.timeline.start, SPEED))
    seen = read_frames([staged.capture], flows, np.zeros(0, np.int64)).frames
    rows = [
        (time + late * (n == 6), data)
        for n, (time, data) in zip(seen.n.tolist(), staged.frames(staged.capture), strict=True)
    ]
    staged.write_pcap(staged.capture, sorted(rows, key=lambda row: row[0]))
    folder, reason = record(staged.evidence())
    assert reason == ""
    clock = pq.read_table(folder / "lab/clock.parquet").to_pylist()
    assert [row["late_us"] for row in clock] == [late * (row["n"] == 6) for row in clock]


def test_the_gateways_events_are_kept(staged, record, tmp_path):
    (tmp_path / "events.jsonl").write_text('{"v": 1}\n')
    counted = {**staged.evidence().counted, "lines": 1}
    folder, reason = record(staged.evidence(gateway_events=tmp_path / "events.jsonl", counted=counted))
    assert reason == ""
    assert (folder / "lab/gateway.jsonl").read_text() == '{"v": 1}\n'
    assert json.loads((folder / "lab/containment.json").read_text())["held"] is True


def test_remarks_are_in_run_json(staged, record):
    folder, reason = record(staged.evidence(remarks={"states": {"told": 3}}))
    assert (reason, json.loads((folder / "lab/run.json").read_text())["states"]) == ("", {"told": 3})
