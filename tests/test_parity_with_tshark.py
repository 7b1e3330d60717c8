"""What tshark counts in the wire stage's capture, held against the flows table of the flows stage: no code of ours reads.

The flows stage takes idle times, the rule of directions and the reading of first bytes from the detector's reader of
captures, and so cannot show a fault of that reader. This asks somebody else: conversations, bytes and beginnings.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from dataclasses import replace

import pytest

from detector.contract import open_telemetry
from lab.recording import CAPTURE
from lab.scenario import compile_scenario, find_scenario, load_scenario
from lab.stages import play

pytestmark = pytest.mark.whole
HOURS = 3_600_000_000
SCENARIOS = ("https-poll-5m", "quic-poll", "mqtt-poll-reports", "mail-all-day", "socks-relay", "relay-under-vpn")
FRAME = {"tcp": 54, "udp": 42}  # bytes of headers: Ethernet II, IPv4, TCP or UDP without options
SYN_OPTIONS = 12
SIZES, START_US = 0.10, 20_000  # a part of the larger, and how far apart two beginnings may be
UNITS = {"bytes": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
LINE = re.compile(
    r"^(\S+):(\d+)\s+<->\s+(\S+):(\d+)\s+(\d+)\s+([\d,]+) (\w+)\s+(\d+)\s+([\d,]+) (\w+)"
    r"\s+\d+\s+[\d,]+ \w+\s+(\d+\.\d+)\s+\d+\.\d+"
)


def lines(*words):
    return subprocess.run(["tshark", "-n", *words], capture_output=True, text=True, check=True).stdout.splitlines()


def conversations(capture, proto):
    """By ends: conversations, bytes of frames from the first end and to it, beginning; as tshark prints them."""
    (first,) = lines("-r", str(capture), "-c", "1", "-T", "fields", "-e", "frame.time_epoch")
    began = int(first.replace(".", "")[:16])
    found = defaultdict(lambda: [0, 0, 0, 1 << 62])
    for match in filter(None, map(LINE.match, lines("-r", str(capture), "-q", "-z", f"conv,{proto}"))):
        one, other = (match[1], int(match[2])), (match[3], int(match[4]))
        to_one, from_one = (int(match[at].replace(",", "")) * UNITS[match[at + 1]] for at in (6, 9))
        ends = tuple(sorted((one, other)))
        row = found[ends]
        row[0] += 1
        row[1] += from_one if one == ends[0] else to_one
        row[2] += to_one if one == ends[0] else from_one
        row[3] = min(row[3], began + round(float(match[11]) * 1_000_000))
    return found


def flows(table, proto):
    """The same of a flows table, whose bytes are payload."""
    found = defaultdict(lambda: [0, 0, 0, 1 << 62])
    for flow in table.to_pylist():
        if flow["proto"] != proto:
            continue
        one, other = (flow["client"], flow["client_port"]), (flow["server"], flow["server_port"])
        options = SYN_OPTIONS * (proto == "tcp" and flow["established"])
        sides = [flow[f"bytes_{way}"] + FRAME[proto] * flow[f"packets_{way}"] + options for way in ("up", "down")]
        ends = tuple(sorted((one, other)))
        row = found[ends]
        row[0] += 1
        row[1], row[2] = (
            had + more for had, more in zip(row[1:3], sides if one == ends[0] else sides[::-1], strict=True)
        )
        row[3] = min(row[3], flow["start"])
    return found


def differing(seen, told, proto):
    """What tshark and the table do not agree about, in words; silent UDP makes more flows, never fewer."""
    wrong = [f"{ends}: on one side only" for ends in seen.keys() ^ told.keys()]
    for ends in seen.keys() & told.keys():
        one, other = seen[ends], told[ends]
        if one[0] != other[0] if proto == "tcp" else one[0] > other[0]:
            wrong.append(f"{ends}: {one[0]} conversations, {other[0]}")
        apart = (abs(a - b) - SIZES * max(a, b) for a, b in zip(one[1:3], other[1:3], strict=True))
        if max(apart) > FRAME[proto]:  # acknowledgements are estimated: one may be too many
            wrong.append(f"{ends}: bytes {one[1:3]}, {other[1:3]}")
        if abs(one[3] - other[3]) > START_US:
            wrong.append(f"{ends}: {other[3] - one[3]} us later")
    return wrong


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")

    def made(name, seed=1):
        scenario = replace(load_scenario(find_scenario(name)), span=4 * HOURS, devices=1)
        timeline, folder = compile_scenario(scenario, seed), tmp_path_factory.mktemp("tshark")
        wire, other = (play(stage, timeline, folder / stage) for stage in ("wire", "flows"))
        return wire / CAPTURE, open_telemetry(other / "telemetry")["flows"]

    return made


@pytest.mark.parametrize("name", SCENARIOS)
def test_tshark_counts_what_the_flows_stage_tells(name, recorded):
    capture, table = recorded(name)
    for proto in ("tcp", "udp"):
        seen = conversations(capture, proto)
        assert seen
        assert differing(seen, flows(table, proto), proto) == []


def test_another_seed_is_told_apart(recorded):
    capture, _ = recorded("https-poll-5m")
    _, table = recorded("https-poll-5m", seed=2)
    assert differing(conversations(capture, "tcp"), flows(table, "tcp"), "tcp")
