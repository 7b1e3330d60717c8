"""Where a flow begins and ends, who is its client, and what is counted in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

SYN, SYN_ACK, ACK, PSH, FIN, RST = 0x02, 0x12, 0x10, 0x18, 0x11, 0x04
HOUR_US = 3_600_000_000


def starts(wire, packets):
    return [row["packets_up"] + row["packets_down"] for row in wire.flows(packets)]


def test_a_whole_flow(wire):
    (row,) = wire.flows(wire.talk(down=b"x" * 301))
    assert (row["client"], row["client_port"], row["server"], row["server_port"]) == (
        "10.88.0.1",
        40_000,
        "198.18.0.9",
        443,
    )
    assert (row["packets_up"], row["packets_down"]) == (4, 5)
    assert (row["bytes_up"], row["bytes_down"]) == (len(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), 301)
    assert row["established"]
    assert row["end"] - row["start"] == 600


@pytest.mark.parametrize(("gap_us", "flows"), [(HOUR_US, 1), (HOUR_US + 1, 2)])
def test_silence_ends_a_tcp_flow_after_an_hour(wire, gap_us, flows):
    packets = [wire.tcp(0, 1, PSH, b"a"), wire.tcp(gap_us, 2, PSH, b"b")]
    assert len(wire.flows(packets)) == flows


@pytest.mark.parametrize(("gap_us", "flows"), [(180_000_000, 1), (180_000_001, 2)])
def test_silence_ends_a_udp_flow_after_three_minutes(wire, gap_us, flows):
    assert len(wire.flows([wire.udp(0, b"a"), wire.udp(gap_us, b"b")])) == flows


def test_a_reused_port_is_a_new_flow(wire):
    packets = wire.talk(seq=1_000)
    again = [type(one)(one.at_us + 1_000, one.frame) for one in wire.talk(seq=90_000, answer_seq=70_000)]
    assert starts(wire, [*packets, *again]) == [9, 9]


def test_a_repeated_syn_is_the_same_flow_even_after_a_reset(wire):
    packets = [wire.tcp(0, 1, SYN), wire.tcp(1_000_000, 1, SYN), wire.tcp(1_000_100, 0, RST | ACK, down=True)]
    packets += [wire.tcp(1_500_000, 1, SYN), wire.tcp(1_500_100, 0, RST | ACK, down=True)]
    (row,) = wire.flows(packets)
    assert (row["packets_up"], row["packets_down"], row["established"]) == (3, 2, False)
    assert len(wire.flows([*packets, wire.tcp(70_000_000, 1, SYN)])) == 2


def test_a_syn_after_packets_of_an_unseen_start_opens_a_flow(wire):
    packets = [wire.tcp(0, 500, PSH, b"old"), wire.tcp(10, 9_000, SYN), wire.tcp(20, 1, SYN_ACK, down=True)]
    assert starts(wire, packets) == [1, 2]


def test_a_syn_recorded_just_after_its_answer_belongs_to_it(wire):
    packets = [wire.tcp(0, 1, SYN_ACK, down=True), wire.tcp(1, 9_000, SYN), wire.tcp(2, 9_001, ACK)]
    (row,) = wire.flows(packets)
    assert (row["client_port"], row["established"]) == (40_000, True)


@pytest.mark.parametrize(
    ("port", "server_port", "kind", "flipped"),
    [
        (40_000, 443, "tcp", True),  # first packet comes from the service
        (40_000, 8_080, "tcp", True),
        (2_000, 8_080, "tcp", False),
        (40_000, 50_000, "tcp", False),
        (40_000, 443, "udp", True),
        (40_000, 8_080, "udp", False),
        (123, 123, "udp", False),
        (40_000, 1_900, "udp", True),  # a neighbour answers what was asked of a group
        (40_000, 5_353, "udp", True),
        (5_353, 5_353, "udp", False),
        (2_000, 1_900, "udp", False),
        (40_000, 1_901, "udp", False),
    ],
)
def test_client_of_a_flow_met_in_mid_stream(wire, port, server_port, kind, flipped):
    if kind == "tcp":
        packet = wire.tcp(0, 1, PSH, b"x", down=True, port=port, server_port=server_port)
    else:
        packet = wire.udp(0, b"x", down=True, port=port, server_port=server_port)
    (row,) = wire.flows([packet])
    assert row["client"] == ("10.88.0.1" if flipped else "198.18.0.9")
    assert (row["bytes_up"], row["bytes_down"]) == ((0, 1) if flipped else (1, 0))


def test_a_syn_makes_the_client_also_from_a_low_port(wire):
    (row,) = wire.flows([wire.tcp(0, 1, SYN, port=40_000, server_port=22, down=True)])
    assert row["client_port"] == 22


def test_syn_ack_alone_names_the_server(wire):
    (row,) = wire.flows([wire.tcp(0, 1, SYN_ACK, down=True, port=2_000, server_port=3_000)])
    assert (row["server_port"], row["established"]) == (3_000, False)


@pytest.mark.parametrize(
    ("flags", "established"),
    [(((SYN, False),), False), (((SYN, False), (SYN_ACK, True)), True), (((SYN, False), (RST | ACK, True)), False)],
)
def test_established_by_handshake(wire, flags, established):
    packets = [wire.tcp(at, 1, flag, down=down) for at, (flag, down) in enumerate(flags)]
    assert wire.flows(packets)[0]["established"] is established


def test_established_by_data_both_ways(wire):
    packets = [wire.tcp(0, 1, PSH, b"a"), wire.tcp(1, 1, ACK, down=True)]
    assert not wire.flows(packets)[0]["established"]
    assert wire.flows([*packets, wire.tcp(2, 1, PSH, b"b", down=True)])[0]["established"]
    assert not wire.flows([wire.udp(0, b"a")])[0]["established"]
    assert wire.flows([wire.udp(0, b"a"), wire.udp(1, b"b", down=True)])[0]["established"]


def test_keep_alive_and_data_in_the_syn(wire):
    packets = [wire.tcp(0, 100, SYN, b"early"), wire.tcp(1, 1, SYN_ACK, down=True), wire.tcp(2, 106, PSH, b"data")]
    packets.append(wire.tcp(3_000_000, 109, ACK, b"\0"))  # keep-alive repeats the last byte
    (row,) = wire.flows(packets)
    assert row["bytes_up"] == 9


def test_flows_are_numbered_in_order_of_time(wire):
    packets = [wire.udp(at, b"x", port=40_000 + 977 * at % 1_000) for at in range(50)]
    rows = wire.flows(packets)
    assert [row["flow"] for row in rows] == list(range(50))
    assert [row["start"] for row in rows] == sorted(row["start"] for row in rows)


@settings(max_examples=60, deadline=None)
@given(
    order=st.permutations(range(9)),
    again=st.lists(st.integers(3, 6), max_size=5),
    shift=st.sampled_from([0, 2**32 - 40]),
)
def test_bytes_survive_reordering_and_retransmission(wire, order, again, shift):
    packets = wire.talk(seq=shift, answer_seq=shift + 20)
    (honest,) = wire.flows(packets)
    times = [packet.at_us for packet in packets]
    head, rest = packets[:2], [packets[index] for index in order if index >= 2]
    repeated = [packets[index] for index in again]
    shuffled = [*head, *rest, *repeated]
    times += [700 + at for at in range(len(repeated))]
    retimed = [type(one)(at, one.frame) for at, one in zip(times, shuffled, strict=True)]
    (row,) = wire.flows(retimed)
    for name in ("client", "server", "bytes_up", "bytes_down", "established", "host"):
        assert row[name] == honest[name]
    assert row["packets_up"] + row["packets_down"] == 9 + len(again)
