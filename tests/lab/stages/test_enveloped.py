"""An always-on VPN: on the wire there is its tunnel and nothing else, and every packet inside has its datagram."""

from __future__ import annotations

import struct
from dataclasses import replace
from ipaddress import ip_address

import numpy as np
import pyarrow.parquet as pq
import pytest

from detector.contract import open_telemetry
from lab.scenario import compile_scenario, find_scenario, load_scenario
from lab.stages.enveloped import MTU, Envelopes
from lab.stages.segments import ACK, SYN, Packets
from lab.stages.wire import play
from lab.world.cast import Cast
from lab.world.tunnel import OWN_PORT, PORT


def packets(conversation, length, flags, local=True):
    n = len(conversation)
    column = np.zeros(n, dtype=np.int64)
    said = np.full(n, local)
    return Packets(
        np.array(conversation), column + np.arange(n), said, np.array(flags), column, np.array(length), *[column] * 3
    )


def test_packets_beside_a_tunnel_stay():
    some = packets([0, 1, 1], [10, 20, 30], [ACK] * 3)
    made = Envelopes()
    assert made.add(some, np.array([-1, -1]), np.array([True, True]), np.array([False, False])) is some
    left = made.add(some, np.array([-1, 7]), np.array([True, True]), np.array([False, False]))
    assert left.conversation.tolist() == [0]


@pytest.mark.parametrize(
    ("length", "flags", "tcp", "six", "sealed"),
    [
        (0, ACK, True, False, 80),
        (0, SYN, True, False, 96),
        (1380, ACK, True, False, 1452),
        (1, 0, False, False, 64),
        (1472, 0, False, False, MTU + 32),
        (0, ACK, True, True, 96),
        (1360, ACK, True, True, 1452),
    ],
)
def test_a_datagram_holds_headers_padding_and_what_sealing_adds(tmp_path, length, flags, tcp, six, sealed):
    made = Envelopes()
    made.add(packets([0], [length], [flags]), np.array([3]), np.array([tcp]), np.array([six]))
    spill = (tmp_path / "spill").open("w+b")
    spill.write(b"\x02\0\0\0GATEPHON" + bytes(80))
    column = {"conversation": np.array([3]), "time": np.array([0]), "offset": np.array([0]), "length": np.array([92])}
    ((found, payload),) = made.sealed([column], spill, 1)
    spill.close()
    assert (found.conversation.tolist(), found.length.tolist()) == ([3], [sealed])
    assert bytes(payload[:16]) == b"\x04\0\0\0GATE" + bytes(8)
    assert len(payload) >= sealed


@pytest.fixture(scope="module", params=["wifi", "roaming"])
def recorded(request, tmp_path_factory):
    made = load_scenario(find_scenario("smoke-poll"))
    made = replace(made, phones=replace(made.phones, vpn=True, networks=request.param))
    timeline = compile_scenario(made, 1)
    return timeline, play(timeline, tmp_path_factory.mktemp("vpn") / "recording")


def frames(path):
    data = path.read_bytes()[24:]
    while data:
        size = struct.unpack("<I", data[8:12])[0]
        yield struct.unpack("<II", data[:8]), data[16 : 16 + size]
        data = data[16 + size :]


def test_only_the_tunnel_is_seen(recorded):
    timeline, folder = recorded
    inside = {phone.tunnel for phone in timeline.devices}
    counters: dict[tuple[bytes, bytes], int] = {}
    kinds = set()
    for _, frame in frames(next((folder / "telemetry").glob("*.pcap"))):
        source, target = (str(ip_address(frame[at : at + 4])) for at in (26, 30))
        assert not {source, target} & inside
        assert frame[23] == 17
        assert set(struct.unpack(">HH", frame[34:38])) == {OWN_PORT, PORT}
        kinds.add(frame[42])
        if frame[42] == 4:
            key = (frame[26:34], frame[46:50])
            assert int.from_bytes(frame[50:58], "little") == counters.get(key, -1) + 1 or key not in counters
            counters[key] = int.from_bytes(frame[50:58], "little")
    assert kinds == {1, 2, 4}


def test_sockets_show_the_apps_and_truth_what_is_inside(recorded):
    timeline, folder = recorded
    sockets = pq.read_table(folder / "telemetry/sockets.parquet").to_pylist()
    local = {row["local_address"] for row in sockets if row["uid"] != 1016 and row["peer_address"]}
    assert local == {phone.tunnel for phone in timeline.devices}
    flows = pq.read_table(folder / "truth/flows.parquet").to_pylist()
    assert {row["client"] for row in flows if row["incident"]} <= local
    assert {row["behaviour"] for row in flows if row["server_port"] == PORT} == {"always-on-vpn"}
    assert pq.read_table(folder / "telemetry/http.parquet").num_rows == 0
    carried = sum(row["bytes_up"] or 0 for row in sockets if row["uid"] == 1016)
    assert carried > sum(row["bytes_up"] or 0 for row in sockets if row["uid"] != 1016)
    lines = (folder / "truth/conn.log.labeled").read_text().splitlines()
    head = next(line for line in lines if line.startswith("#fields")).split("\t")[1:]
    rows = [dict(zip(head, line.split("\t"), strict=True)) for line in lines if not line.startswith("#")]
    tunnels = {row["uid"] for row in rows if row["id.resp_p"] == str(PORT)}
    assert {row["tunnel_parents"] for row in rows if row["uid"] not in tunnels} == tunnels


def test_the_detector_sees_the_vpn_of_each_phone(recorded):
    timeline, folder = recorded
    flows = open_telemetry(folder / "telemetry")["flows"].to_pylist()
    assert {row["device"] for row in flows} == {phone.name for phone in timeline.devices}
    assert {row["package"] for row in flows} == {"vpn"}
    assert {row["server_port"] for row in flows} == {PORT}


def test_the_cast_is_not_drawn_anew():
    assert Cast((1, "x")).device_address(0, "tunnel") != Cast((1, "x")).device_address(0)
