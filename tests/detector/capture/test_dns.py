"""Questions with their answers, and the names that addresses get from them."""

import struct


def question(name, kind=1):
    return (
        b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0" + struct.pack(">HH", kind, 1)
    )


def query(ident, name, kind=1):
    return struct.pack(">HHHHHH", ident, 0x0100, 1, 0, 0, 0) + question(name, kind)


def answer(ident, name, *addresses, kind=1, rcode=0):
    rows = b"".join(
        b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes(map(int, text.split("."))) for text in addresses
    )
    return struct.pack(">HHHHHH", ident, 0x8180 | rcode, 1, len(addresses), 0, 0) + question(name, kind) + rows


def table(wire, packets):
    return wire.read(wire.pcap(packets)).dns.to_pylist()


def test_question_and_answer_are_one_row(wire):
    packets = [
        wire.udp(0, query(7, "WWW.a.example")),
        wire.udp(900, answer(7, "www.A.example", "198.18.0.5"), down=True),
    ]
    (row,) = table(wire, packets)
    assert (row["qname"], row["qtype"], row["rcode"], row["answers"]) == ("www.a.example", "A", 0, ["198.18.0.5"])
    assert (row["client"], row["server"], row["answered"] - row["time"]) == ("10.88.0.1", "198.18.0.9", 900)
    assert (row["bytes_up"], row["bytes_down"]) == (31, 47)


def test_pairs_by_identifier_name_and_type(wire):
    packets = [
        wire.udp(0, query(1, "a.example")),
        wire.udp(1, query(1, "a.example", 28)),
        wire.udp(2, query(2, "b.example")),
        wire.udp(10, answer(2, "b.example", rcode=3), down=True),
        wire.udp(11, answer(1, "a.example", kind=28), down=True),
        wire.udp(12, answer(1, "a.example", "198.18.0.5"), down=True),
        wire.udp(13, answer(9, "other.example", "198.18.0.6"), down=True),
    ]
    rows = table(wire, packets)
    assert [(row["qname"], row["qtype"], row["rcode"], len(row["answers"])) for row in rows] == [
        ("a.example", "A", 0, 1),
        ("a.example", "AAAA", 0, 0),
        ("b.example", "A", 3, 0),
        ("other.example", "A", 0, 1),
    ]
    assert (rows[3]["bytes_up"], rows[3]["time"] == rows[3]["answered"]) == (0, True)


def test_a_question_without_answer_has_nulls_and_a_repeat_is_a_row(wire):
    rows = table(wire, [wire.udp(0, query(1, "a.example")), wire.udp(5_000_000, query(1, "a.example"))])
    assert [(row["answered"], row["rcode"], row["answers"]) for row in rows] == [(None, None, [])] * 2


def test_equal_messages_with_other_identifiers_are_told_apart(wire):
    packets = [wire.udp(at, query(at, "a.example")) for at in range(5)]
    packets.append(wire.udp(100, answer(3, "a.example", "198.18.0.5"), down=True))
    assert [row["answered"] is not None for row in table(wire, packets)] == [False, False, False, True, False]


def test_garbage_on_port_53_is_no_row(wire):
    read = wire.read(wire.pcap([wire.udp(0, b"\xff" * 40), wire.udp(1, b"\x01"), wire.udp(2, b"")]))
    assert read.dns.num_rows == 0
    assert read.flows.num_rows == 1


def resolved(wire, *packets):
    return [(row["name"], row["name_from"]) for row in wire.flows(list(packets)) if row["server_port"] == 9_000]


def test_server_is_named_by_the_latest_answer_before_the_flow(wire):
    ask = [wire.udp(0, query(1, "old.example")), wire.udp(1, answer(1, "old.example", "198.18.0.9"), down=True)]
    ask += [wire.udp(2, query(2, "new.example")), wire.udp(3, answer(2, "new.example", "198.18.0.9"), down=True)]
    late = [wire.udp(90, query(3, "late.example")), wire.udp(91, answer(3, "late.example", "198.18.0.9"), down=True)]
    flow = wire.udp(50, b"\0\0\0", port=41_000, server_port=9_000)
    assert resolved(wire, *ask, flow, *late) == [("new.example", "dns")]
    assert resolved(wire, flow, *late) == [(None, None)]


def test_another_clients_answer_serves_where_the_own_is_missing(wire):
    kind = type(wire.tcp(0, 0, 0))
    theirs = wire.ether(
        wire.ipv4("198.18.0.1", "10.88.0.77", 17, wire.udp_datagram(53, 999, answer(1, "theirs.example", "198.18.0.9")))
    )
    flow = wire.udp(50, b"\0\0\0", port=41_000, server_port=9_000)
    assert resolved(wire, kind(10, theirs), flow) == [("theirs.example", "dns")]
    own = [wire.udp(5, query(1, "own.example")), wire.udp(6, answer(1, "own.example", "198.18.0.9"), down=True)]
    assert resolved(wire, *own, kind(10, theirs), flow) == [("own.example", "dns")]
