import dataclasses

import pytest
from dnslib import QTYPE, RR, A, DNSQuestion, DNSRecord
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from lab.errors import EvidenceError, ScenarioError
from lab.replaying.planned import Wishes, plan, write_virtual

QUIET = lambda _done, _total: None  # noqa: E731 - a callback that says nothing
INCIDENT = "phone-01/com.example.torchlight/http-poll"


def test_a_plan_says_what_would_go_where(recorded):
    made = plan(recorded, Wishes(speed=2.0, loops=3, maps=("phone-01=10.50.0.1",)), QUIET)
    told = made.to_json()
    count = len(made.due)
    assert told["frames"] == 3 * count == told["from_devices"] + told["from_others"]
    assert {"recorded": "10.88.3.4", "sent": "10.50.0.1"} in told["addresses"]
    assert made.period == 3_600 * 10**9 // 2
    assert told["lasts_s"] == pytest.approx((2 * made.period + int(made.due[-1])) / 1e9, abs=1e-3)
    assert {"10.50.0.1", "phone-01", "198.18.7.9"} <= made.called
    assert "10.88.3.4" not in made.called
    assert told["longest_frame"] == made.longest <= 1_514


def test_virtual_time_at_the_recorded_speed_is_the_recording_itself(recorded, tmp_path):
    write_virtual(plan(recorded, Wishes(), QUIET), tmp_path / "again.pcap")
    assert (tmp_path / "again.pcap").read_bytes() == (recorded / "telemetry/capture.pcap").read_bytes()


def test_virtual_time_keeps_to_speed_and_rounds(recorded, tmp_path):
    from lab.replaying.source import read_source

    made = plan(recorded, Wishes(speed=10.0, loops=2), QUIET)
    write_virtual(made, tmp_path / "twice.pcap")
    source = read_source(tmp_path / "twice.pcap")
    count = len(made.due)
    assert len(source) == 2 * count
    assert source.time[count] - source.time[0] == 360_000_000
    assert source.time[count - 1] - source.time[0] == int(made.due[-1]) // 1_000
    first, second = set(source.flow[:count].tolist()), set(source.flow[count:].tolist())
    assert (first & second) <= {-1}


def test_an_incident_alone_is_planned_alone_and_strangers_elsewhere_do_not_matter(recorded):
    whole, part = plan(recorded, Wishes(), QUIET), plan(recorded, Wishes(only=(INCIDENT,)), QUIET)
    assert 0 < len(part.due) < len(whole.due)
    assert "198.18.7.10" not in part.called


def test_a_cap_is_told(recorded):
    assert plan(recorded, Wishes(cap=20.0), QUIET).held > 0
    assert plan(recorded, Wishes(), QUIET).held == 0


def test_many_short_rounds_keep_to_the_cap_as_well(recorded):
    made = plan(recorded, Wishes(speed=1e6, loops=50, cap=1_000.0), QUIET)
    count = 50 * len(made.due)
    assert made.lasts_s >= count / 1_000.0 - 1
    assert made.busiest_second >= count / made.lasts_s
    assert plan(recorded, Wishes(), QUIET).busiest_second <= len(made.due)


def test_wishes_that_cannot_be_are_refused(recorded, write_pcap, tmp_path):
    with pytest.raises(ScenarioError, match="more than 0"):
        plan(recorded, Wishes(speed=0), QUIET)
    with pytest.raises(ScenarioError, match="more than 0"):
        plan(recorded, Wishes(speed=float("nan")), QUIET)
    with pytest.raises(ScenarioError, match="knows no incidents"):
        plan(recorded / "telemetry/capture.pcap", Wishes(only=(INCIDENT,)), QUIET)
    with pytest.raises(FileNotFoundError):
        plan(tmp_path / "nowhere", Wishes(), QUIET)
    with pytest.raises(ScenarioError, match="--mac"):
        plan(recorded, Wishes(macs=("nobody=02:00:00:00:00:01",)), QUIET)


def test_a_damaged_recording_is_refused(recorded):
    capture = recorded / "telemetry/capture.pcap"
    capture.write_bytes(capture.read_bytes()[:-7])
    with pytest.raises(EvidenceError):
        plan(recorded, Wishes(), QUIET)


def test_a_capture_is_planned_like_a_recording(recorded):
    made = plan(recorded / "telemetry/capture.pcap", Wishes(), QUIET)
    assert dataclasses.replace(made).names == ()
    assert made.side.any()
    assert not made.side.all()


def test_macs_of_devices_and_gateway_are_new(recorded, read_frames):
    wishes = Wishes(macs=("phone-01=02:99:00:00:00:01,gateway=02:99:00:00:00:02",))
    ends = {frame[:12].hex() for frame in plan(recorded, wishes, QUIET).prepared.frames()}
    assert "029900000002" + "029900000001" in ends
    assert not any("0211223344" + "55" in one or "02aabbccddee" in one for one in ends)


def test_a_recording_without_packets_is_refused(tiny, tmp_path):
    from lab.stages import play

    play("flows", tiny, tmp_path / "flows")
    with pytest.raises(ScenarioError, match="recorded no packets"):
        plan(tmp_path / "flows", Wishes(), QUIET)


def test_an_answer_that_nobody_followed_is_mapped_with_its_net(write_pcap):
    message = DNSRecord(q=DNSQuestion("a.garden.example"))
    for host in ("198.18.0.9", "198.18.0.10"):
        message.add_answer(RR("a.garden.example", QTYPE.A, rdata=A(host)))
    down = Ether() / IP(src="10.88.0.1", dst="10.88.3.4") / UDP(sport=53, dport=4000) / bytes(message.pack())
    up = Ether() / IP(src="10.88.3.4", dst="198.18.0.9") / UDP(sport=4000, dport=9)
    made = plan(write_pcap([down, up]), Wishes(maps=("198.18.0.0/15=10.60.0.0/15",)), QUIET)
    sent = next(made.prepared.frames())
    assert bytes([10, 60, 0, 9]) in sent
    assert bytes([10, 60, 0, 10]) in sent
    assert bytes([198, 18]) not in sent


def test_frames_that_may_hide_addresses_are_refused(write_pcap):
    inside = IP(src="192.0.2.1", dst="192.0.2.2") / UDP(sport=1, dport=2)
    known = Ether() / IP(src="10.88.3.4", dst="198.18.0.9") / UDP(sport=1, dport=2)
    path = write_pcap([known, Ether(type=0x8847) / bytes.fromhex("00010140") / inside])
    with pytest.raises(ScenarioError, match=r"1 frames .the first is number 2 by time"):
        plan(path, Wishes(maps=("0.0.0.0/0=0.0.0.0/0",)), QUIET)
