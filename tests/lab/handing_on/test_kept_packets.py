"""Packets of some flows: both directions, nobody else's, byte for byte."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.contract import open_telemetry
from lab.errors import EvidenceError
from lab.handing_on.kept_packets import flow_key, keep, key_of

NUMBERS = {"tcp": 6, "udp": 17}


def keys(rows):
    names = ("client", "client_port", "server", "server_port")
    return [flow_key(*(row[name] for name in names), NUMBERS[row["proto"]]) for row in rows]


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_kept_flows_are_as_they_were(handed, tmp_path, proto):
    mine = [one.flow for one in handed.flows if one.flow["proto"] == proto][:7]
    with (tmp_path / "some.pcap").open("wb") as file:
        count = keep(handed.capture, keys(mine), (0, 1 << 62), file)
    back = open_telemetry(tmp_path / "some.pcap")["flows"].to_pylist()
    told = ("client", "server", "start", "end", "packets_up", "packets_down", "bytes_up", "bytes_down", "sni")
    assert [[row[name] for name in told] for row in back] == [[row[name] for name in told] for row in mine] != []
    assert count == sum(row["packets_up"] + row["packets_down"] for row in mine)


def test_all_keys_keep_every_packet_and_none_keeps_none(handed):
    whole = io.BytesIO()
    everything = keys([one.flow for one in handed.flows])
    assert keep(handed.capture, everything, (0, 1 << 62), whole) == handed.telemetry.packets
    assert whole.getvalue() == handed.capture.read_bytes()
    assert keep(handed.capture, [], (0, 1 << 62), io.BytesIO()) == 0
    assert keep(handed.capture, everything, (0, 1), io.BytesIO()) == 0


def test_another_kind_of_capture_is_refused(tmp_path):
    (tmp_path / "x.pcap").write_bytes(bytes(24))
    with pytest.raises(EvidenceError, match="found 00000000, expected a little-endian pcap"):
        keep(tmp_path / "x.pcap", [], (0, 1), io.BytesIO())


@given(st.sampled_from([b"\x08\x00", b"\x86\xdd", b"\x08\x06"]), st.binary(max_size=60))
def test_no_frame_is_too_broken(kind, rest):
    key = key_of(bytes(12) + kind + rest)
    assert key is None or key[0] <= key[1]


def test_a_later_fragment_is_of_no_flow():
    packet = bytes([0x45, 0, 0, 40, 0, 0, 0x00, 0x01, 64, 17]) + bytes(30)
    assert key_of(bytes(12) + b"\x08\x00" + packet) is None
    assert key_of(bytes(12) + b"\x08\x00" + packet[:7] + b"\0" + packet[8:]) is not None
