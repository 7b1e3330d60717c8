"""Whatever is wrong with a live run is the reason why its recording is not complete."""

from __future__ import annotations

import dataclasses
import json

import pyarrow.parquet as pq
import pytest

from lab.errors import EvidenceError
from lab.recording import open_recording

CAPTURE = "telemetry/capture.pcap"
HELD = {"held": True, "proved": True, "attempts": 25}


def lost_socket(staged):
    rows = staged.evidence().sockets
    first = next(k for k, row in enumerate(rows) if row["event"] == "connect")
    return {"sockets": rows[:first] + rows[first + 1 :]}


def unclosed(staged):
    rows = staged.evidence().sockets
    port = staged.played[1].client[1]
    kept = [row for row in rows if (row["event"], row["local_port"]) != ("close", port)]
    assert len(kept) == len(rows) - 1
    return {"sockets": kept}


def counted(**changes):
    return lambda staged: {"counted": {**staged.evidence().counted, **changes}}


def other_uid(staged):
    return {"sockets": [{**row, "uid": 10_999} if row["uid"] == 10_124 else row for row in staged.evidence().sockets]}


def cut(staged):
    staged.capture.write_bytes(staged.capture.read_bytes()[:-5])
    return {}


def without_syn(staged):
    rows = staged.frames(staged.capture)
    first = next(k for k, (_, data) in enumerate(rows) if data[23] == 6 and data[47] == 2)
    staged.write_pcap(staged.capture, rows[:first] + rows[first + 1 :])
    return {}


def failed(staged):
    return {"played": [dataclasses.replace(one, error="reset" if one.n == 3 else None) for one in staged.played]}


def socketless(staged):
    return {"played": [dataclasses.replace(one, client=None) if one.n == 4 else one for one in staged.played]}


FAULTS = {
    "a fault of the gateway": (lambda _: {"faults": ["the proxy died"]}, "the proxy died"),
    "no containment": (lambda _: {"containment": {**HELD, "held": False}}, "containment did not hold"),
    "containment not proved": (lambda _: {"containment": {**HELD, "proved": False}}, "containment could not be proved"),
    "containment never tried": (lambda _: {"containment": {}}, "containment was not tried"),
    "packets that are not in the file": (counted(packets=1), "captured 1 packets, found"),
    "lines that are not in the file": (counted(lines=3), "captured 3 lines, found 2"),
    "packets nobody counted": (counted(packets=None), "did not say how many packets it captured"),
    "drops nobody counted": (counted(dropped=None), "did not say how many packets the capture dropped"),
    "a socket never closed": (unclosed, "1 conversations not seen to close in sockets: 1"),
    "no capture": (lambda _: {"captures": []}, "nothing was captured"),
    "a capture that is not there": (lambda s: {"captures": [s.capture.with_name("gone.pcap")]}, "gone.pcap is missing"),
    "a cut capture": (cut, "bytes of capture lost; live.pcap: packet"),
    "a lost SYN": (without_syn, "1 conversations not found in capture: 1"),
    "a lost socket": (lost_socket, "1 conversations not found in sockets: 0"),
    "a socket of another app": (other_uid, "1 conversations not found in sockets: 4"),
    "a lost request": (lambda _: {"requests": []}, "2 conversations not found in http: 1, 2"),
    "a failed conversation": (failed, "1 conversations failed, first 3: reset"),
    "a conversation never played": (lambda s: {"played": s.played[1:]}, "first 0: never played"),
    "no socket was seen": (socketless, "not found in capture: 4"),
    "a device never read": (lambda _: {"readings": {}}, "phone-01: its state was never read"),
    "an app that is not installed": (
        lambda _: {"installed": {}},
        "com.example.weather: found uid None, expected 10124",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_with_a_run_is_the_reason_why_it_is_not_complete(staged, record, name):
    change, words = FAULTS[name]
    folder, reason = record(staged.evidence(**change(staged)))
    assert words in reason
    with pytest.raises(EvidenceError, match="found complete False"):
        open_recording(folder)
    read_on = open_recording(folder, allow_partial=True)
    assert read_on.partial is not None
    assert words in read_on.partial
    assert any(
        words.split(":")[0].split(";")[0] in fault
        for fault in json.loads((folder / "lab/run.json").read_text())["faults"]
    )


def test_a_conversation_without_a_socket_is_in_the_flows_but_in_no_log(staged, record):
    folder, _ = record(staged.evidence(**socketless(staged)))
    flows = pq.read_table(folder / "truth/flows.parquet").to_pylist()
    assert flows[4]["client_port"] is None
    assert flows[4]["start"] == flows[4]["end"] == staged.scripts[4].start
    rows = [line for line in (folder / "truth/conn.log.labeled").read_text().splitlines() if not line.startswith("#")]
    assert len(rows) == len(flows) - 1
    clock = pq.read_table(folder / "lab/clock.parquet").to_pylist()
    assert clock[4]["late_us"] is clock[4]["opened_real"] is None
    strays = json.loads((folder / "lab/run.json").read_text())["capture"]["strays"]
    assert set(strays) == {"udp"}, "its frames are kept, and counted"
    assert len(staged.frames(folder / CAPTURE)) == len(staged.frames(staged.capture))


def test_a_run_cut_short_counts_its_open_sockets_and_blames_none_of_them(staged, record):
    folder, reason = record(staged.evidence(**unclosed(staged), faults=["interrupted"]))
    assert reason == "interrupted"
    joined = json.loads((folder / "lab/run.json").read_text())["joined"]
    assert joined["unclosed"] == [1]
    assert joined["closes"] == sum(script.transport == "tcp" for script in staged.scripts) - 1
