"""Exchanges are those of the sentence in the contract, written out as a loop."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from detector.contract import EXCHANGE_IDLE_US


def plainly(events):
    """(time, is up, bytes) in order -> exchanges by the rule of the contract."""
    out = []
    last = None
    for time, up, size in events:
        begins = last is None
        if last is not None:
            silent = time - last[0] > EXCHANGE_IDLE_US
            begins = (up and not last[1]) or (up == last[1] and silent)
        if begins:
            out.append(
                {"start": time, "bytes_up": 0, "bytes_down": 0, "packets_up": 0, "packets_down": 0, "first_down": None}
            )
        row = out[-1]
        row["end"] = time
        row["bytes_up" if up else "bytes_down"] += size
        row["packets_up" if up else "packets_down"] += 1
        if not up and row["first_down"] is None:
            row["first_down"] = time
        last = (time, up)
    return out


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4_000_000), st.booleans(), st.integers(1, 99)), min_size=1, max_size=20))
def test_exchanges_follow_the_rule(wire, steps):
    clock, events = 0, [(0, True, 5)]
    packets = [wire.udp(0, bytes(5), server_port=9_000)]
    for gap, up, size in steps:
        clock += gap
        events.append((clock, up, size))
        packets.append(wire.udp(clock, bytes(size), down=not up, server_port=9_000))
    found = wire.read(wire.pcap(packets)).exchanges.to_pylist()
    start = found[0]["start"]
    for row in found:
        assert row.pop("flow") == 0
        row.update({name: row[name] - start for name in ("start", "end")})
        row["first_down"] = None if row["first_down"] is None else row["first_down"] - start
    assert found == plainly(events)


def test_every_dns_query_of_a_flow_is_an_exchange_with_its_own_answer(wire):
    a, b = struct.pack(">H", 1) + bytes(20), struct.pack(">H", 2) + bytes(20)
    packets = [
        wire.udp(0, a),
        wire.udp(10, b + b"?"),
        wire.udp(500, b + b"answer", down=True),
        wire.udp(900, a + b"late", down=True),
    ]
    rows = wire.read(wire.pcap(packets)).exchanges.to_pylist()
    assert [(row["bytes_up"], row["bytes_down"]) for row in rows] == [(22, 26), (23, 28)]
    assert [row["first_down"] - row["start"] for row in rows] == [900, 490]


def test_a_query_sent_again_before_its_answer_is_the_same_one(wire):
    ask, other = struct.pack(">H", 1) + bytes(20), struct.pack(">H", 1) + bytes(21)
    packets = [
        wire.udp(0, ask),
        wire.udp(5_000_000, ask),
        wire.udp(5_000_500, ask + b"answer", down=True),
        wire.udp(6_000_000, ask),  # after the answer: another one
        wire.udp(7_000_000, other),  # of another size: another one
    ]
    rows = wire.read(wire.pcap(packets)).exchanges.to_pylist()
    assert [(row["bytes_up"], row["packets_up"], row["bytes_down"]) for row in rows] == [
        (22, 2, 28),
        (22, 1, 0),
        (23, 1, 0),
    ]
    assert rows[0]["first_down"] - rows[0]["start"] == 5_000_500


def test_repeated_bytes_are_no_exchange(wire):
    packets = wire.talk()
    again = [*packets[:7], type(packets[0])(5_000_000, packets[3].frame), *packets[7:]]
    assert wire.read(wire.pcap(again)).exchanges.equals(wire.read(wire.pcap(packets)).exchanges)


def test_a_late_answer_belongs_to_its_request(wire):
    packets = [wire.udp(0, b"ask", server_port=9_000), wire.udp(60_000_000, b"answer", down=True, server_port=9_000)]
    (row,) = wire.read(wire.pcap(packets)).exchanges.to_pylist()
    assert (row["bytes_up"], row["bytes_down"], row["end"] - row["start"]) == (3, 6, 60_000_000)
