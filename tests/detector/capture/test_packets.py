"""Transport headers of every length, other protocols, and the order of time."""

import pytest

RST = 0x04


def read(wire, *packets):
    return wire.read(wire.pcap(list(packets)))


def frame(wire, segment, proto=6):
    return type(wire.tcp(0, 0, 0))(0, wire.ether(wire.ipv4("10.0.0.1", "10.0.0.2", proto, segment)))


@pytest.mark.parametrize("words", range(16))
def test_tcp_data_offset(wire, words):
    found = read(wire, frame(wire, wire.tcp_segment(40_000, 443, 1, 0x18, bytes(60), words=words)))
    expected = 80 - 4 * words if words >= 5 else 0
    assert (found.flows["bytes_up"].to_pylist(), found.stats.short_frames) == ([expected], words < 5)


def test_data_offset_past_the_segment_is_short_and_in_its_flow_without_payload(wire):
    past = frame(wire, wire.tcp_segment(40_000, 443, 1, 0x18, bytes(4), words=15))
    found = read(wire, past, frame(wire, wire.tcp_segment(40_000, 443, 1, 0x18, bytes(9))))
    (row,) = found.flows.to_pylist()
    assert (row["packets_up"], row["bytes_up"]) == (2, 9)
    assert (found.stats.short_frames, found.stats.ip_packets) == (1, 2)


@pytest.mark.parametrize(("said", "expected"), [(None, 12), (0, 12), (7, 0), (8, 0), (10, 2), (65_535, 12)])
def test_udp_length(wire, said, expected):
    found = read(wire, frame(wire, wire.udp_datagram(40_000, 9_000, bytes(12), length=said), 17))
    assert (found.flows["bytes_up"].to_pylist(), found.stats.short_frames) == ([expected], said == 7)


def test_cut_tcp_header_is_short(wire):
    found = read(wire, frame(wire, bytes(19)))
    assert (found.stats.short_frames, found.flows.num_rows) == (1, 0)


def test_text_in_a_reset_is_no_payload(wire):
    found = read(wire, frame(wire, wire.tcp_segment(40_000, 443, 1, RST, b"go away")))
    assert (found.flows["bytes_up"].to_pylist(), found.stats.short_frames) == ([0], 0)


@pytest.mark.parametrize(("proto", "name"), [(1, "icmp"), (58, "icmp"), (47, "47"), (132, "132"), (255, "255")])
def test_other_protocols(wire, proto, name):
    (row,) = read(wire, frame(wire, bytes(30), proto)).flows.to_pylist()
    assert (row["proto"], row["client_port"], row["server_port"], row["bytes_up"]) == (name, 0, 0, 30)


def test_tables_follow_time_and_not_the_file(wire):
    packets = wire.talk()
    mixed = [packets[index] for index in (3, 0, 8, 1, 2, 6, 5, 4, 7)]
    straight, found = read(wire, *packets), read(wire, *mixed)
    assert found.flows.equals(straight.flows)
    assert found.exchanges.equals(straight.exchanges)
    assert found.stats.out_of_order == 4
    assert straight.stats.out_of_order == 0
    assert (found.stats.first, found.stats.last) == (straight.stats.first, straight.stats.last)


def test_progress_reaches_the_end(wire):
    from detector.capture import read_capture
    from detector.contract import Progress

    said = []
    path = wire.write(wire.pcap(wire.talk()))
    read_capture(path, progress=Progress(lambda done, total: said.append((done, total))))
    assert said
    assert all(0 < done <= total == path.stat().st_size for done, total in said)
