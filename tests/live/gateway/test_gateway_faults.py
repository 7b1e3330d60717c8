"""A gateway whose parts are killed, with real containers: what is lost, and who says so."""

from __future__ import annotations

import json
import time

import pytest
from scapy.layers.inet import TCP
from scapy.utils import rdpcap

from lab.stages.live.gateway.overheard import events

pytestmark = pytest.mark.live

WEB = "198.18.0.1"


def faults(rec):
    return [json.loads(line)["reason"] for line in (rec / "one.fault").read_text().splitlines()]


def told_of(rec):
    """The first event, waited for at most 60 s: that there is no way to a server is known after some."""
    for _ in range(600):
        found = list(events(rec / "one.jsonl"))
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError("no event")


@pytest.mark.parametrize(("victim", "told"), [("mitmdump", "mitmproxy"), ("tcpdump", "the capture")])
def test_if_one_is_killed_both_end_and_nothing_written_is_lost(gateway, victim, told):
    gateway.ask("capture", name="one")
    assert not gateway.do("reached", WEB, 80)["reached"]  # there are no servers
    told_of(gateway.rec)
    seen = len(rdpcap(str(gateway.rec / "one.pcap")))
    gateway.container.exec_run(["sh", "-c", f"kill -KILL $(pgrep -x {victim})"])
    assert gateway.container.wait(timeout=60)["StatusCode"] == 1
    assert faults(gateway.rec) == [f"{told} ended by itself with -9"]
    assert len(rdpcap(str(gateway.rec / "one.pcap"))) >= seen > 0
    assert told_of(gateway.rec)["event"] == "connect_failed"


def test_a_killed_gateway_loses_nothing_it_had(gateway):
    gateway.ask("capture", name="one")
    assert not gateway.do("reached", WEB, 80)["reached"]
    told_of(gateway.rec)
    gateway.container.kill()
    assert gateway.container.wait(timeout=60)["StatusCode"] == 137
    ports = {packet[TCP].dport for packet in rdpcap(str(gateway.rec / "one.pcap")) if TCP in packet}
    assert 80 in ports
    assert told_of(gateway.rec)["server"] == [WEB, 80]


def test_a_stopped_gateway_flushes_and_says_that_the_capture_was_cut(gateway):
    gateway.ask("capture", name="one")
    gateway.container.stop(timeout=30)
    assert gateway.container.wait(timeout=60)["StatusCode"] == 0
    assert faults(gateway.rec) == ["ended while capturing"]
    assert (gateway.rec / "one.pcap").read_bytes()[:4] == b"\xd4\xc3\xb2\xa1"  # microseconds, whole head
