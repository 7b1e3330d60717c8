"""Handshakes of every version, written out as the records a sensor sees, are in no exchange."""

import pytest

HELLO, SERVER_HELLO, RETRY = (
    b"\x01\0\0\xc8",
    b"\x02\0\0\x76",
    b"\x02\0\0\x54\x03\x03" + bytes.fromhex("cf21ad74e59a6111"),
)
CCS, ALERT, CLEAR, SEALED = 20, 21, 22, 23
MS = 1_000


def said(wire, *records):
    return b"".join(wire.record(*record) for record in records)


def hello(wire, size=512):
    return said(wire, (CLEAR, size, HELLO))


def tls12(wire, *, request=400, answer=260):
    return [
        (10 * MS, ">", hello(wire)),
        (30 * MS, "<", said(wire, (CLEAR, 80, SERVER_HELLO), (CLEAR, 3_000), (CLEAR, 300), (CLEAR, 4))),
        (32 * MS, ">", said(wire, (CLEAR, 37), (CCS, 1), (CLEAR, 40))),
        (52 * MS, "<", said(wire, (CLEAR, 180), (CCS, 1), (CLEAR, 40))),
        (60 * MS, ">", said(wire, (SEALED, request))),
        (80 * MS, "<", said(wire, (SEALED, answer))),
    ]


def resumed12(wire):
    return [
        (10 * MS, ">", hello(wire)),
        (30 * MS, "<", said(wire, (CLEAR, 80, SERVER_HELLO), (CCS, 1), (CLEAR, 40))),
        (32 * MS, ">", said(wire, (CCS, 1), (CLEAR, 40), (SEALED, 400))),
        (52 * MS, "<", said(wire, (SEALED, 260))),
    ]


def false_start12(wire):
    full = tls12(wire)
    return [*full[:2], (32 * MS, ">", full[2][2] + full[4][2]), full[3], full[5]]


def tls13(wire, *, finished=53, ccs=((CCS, 1),), flight=(38, 2_900, 281, 53), after=((SEALED, 400),)):
    return [
        (10 * MS, ">", hello(wire)),
        (30 * MS, "<", said(wire, (CLEAR, 122, SERVER_HELLO), *ccs, *((SEALED, size) for size in flight))),
        (32 * MS, ">", said(wire, *ccs, (SEALED, finished), *after)),
        (52 * MS, "<", said(wire, (SEALED, 260))),
    ]


def retried13(wire):
    return [
        (10 * MS, ">", hello(wire)),
        (30 * MS, "<", said(wire, (CLEAR, 88, RETRY), (CCS, 1))),
        (32 * MS, ">", said(wire, (CCS, 1)) + hello(wire, 550)),
        (52 * MS, "<", said(wire, (CLEAR, 122, SERVER_HELLO), (SEALED, 3_000))),
        (54 * MS, ">", said(wire, (SEALED, 53), (SEALED, 400))),
        (74 * MS, "<", said(wire, (SEALED, 260))),
    ]


def certified13(wire):
    plain = tls13(wire)
    return [*plain[:2], (32 * MS, ">", said(wire, (CCS, 1), *((SEALED, n) for n in (1_200, 281, 69, 400)))), plain[3]]


FORMS = {
    "tls12": tls12,
    "tls12 resumed": resumed12,
    "tls12 false start": false_start12,
    "tls13": tls13,
    "tls13 sha384": lambda wire: tls13(wire, finished=69),
    "tls13 padded": lambda wire: tls13(wire, finished=85),
    "tls13 of unknown Finished": lambda wire: tls13(wire, finished=101),
    "tls13 without ChangeCipherSpec": lambda wire: tls13(wire, ccs=()),
    "tls13 flight in one record": lambda wire: tls13(wire, flight=(3_300,)),
    "tls13 resumed": lambda wire: tls13(wire, flight=(68,)),
    "tls13 HelloRetryRequest": retried13,
    "tls13 client certificate": certified13,
}


@pytest.mark.parametrize("form", FORMS)
def test_an_exchange_is_the_request_and_the_answer(wire, form):
    messages = FORMS[form](wire)
    read = wire.read(wire.pcap(wire.conversation(messages)))
    (row,), (flow,) = read.exchanges.to_pylist(), read.flows.to_pylist()
    assert (row["bytes_up"], row["bytes_down"]) == (405, 265)
    assert (row["packets_up"], row["packets_down"]) == (1, 1)
    for name, way in (("bytes_up", ">"), ("bytes_down", "<")):
        assert flow[name] == sum(len(data) for _, said_by, data in messages if said_by == way), "totals stay complete"
    asked = [when for when, way, _ in messages if way == ">"][-1]
    assert row["start"] - flow["start"] == asked
    assert row["first_down"] == row["end"] == flow["start"] + messages[-1][0]


def test_early_data_is_the_applications(wire):
    messages = [
        (10 * MS, ">", hello(wire) + said(wire, (CCS, 1), (SEALED, 300), (SEALED, 95))),
        (30 * MS, "<", said(wire, (CLEAR, 128, SERVER_HELLO), (CCS, 1), (SEALED, 68))),
        (32 * MS, ">", said(wire, (SEALED, 21), (SEALED, 53))),
        (52 * MS, "<", said(wire, (SEALED, 900))),
    ]
    assert wire.sizes(wire.conversation(messages)) == [(405, 905)]


def test_a_request_of_a_finisheds_length_is_none(wire):
    messages = tls13(wire, after=((SEALED, 53), (SEALED, 53)))
    assert wire.sizes(wire.conversation(messages)) == [(116, 265)]


@pytest.mark.parametrize(("form", "stop"), [("tls12", 1), ("tls12", 2), ("tls12", 3), ("tls13", 1), ("tls13", 2)])
def test_a_handshake_that_stops_is_no_exchange(wire, form, stop):
    assert wire.sizes(wire.conversation(FORMS[form](wire)[:stop])) == []


def test_a_refused_certificate_is_no_exchange(wire):
    refused = [*tls12(wire)[:2], (32 * MS, ">", said(wire, (ALERT, 2)))]
    assert wire.sizes(wire.conversation(refused)) == []
    sealed = [*tls13(wire)[:2], (32 * MS, ">", said(wire, (CCS, 1), (SEALED, 19)))]
    assert wire.sizes(wire.conversation(sealed)) == []


def whole(messages):
    return tuple(sum(len(data) for _, way, data in messages if way == wanted) for wanted in "><")


def summed(wire, packets):
    return tuple(map(sum, zip(*wire.sizes(packets), strict=True)))


def test_what_cannot_be_read_keeps_every_byte(wire):
    messages = tls13(wire)
    packets = wire.conversation(messages)
    holed = [packet for packet in packets if packet.at_us != 30 * MS]
    up, _ = whole(messages)
    assert summed(wire, holed) == (up, 265)
    begun = wire.conversation(messages[2:])
    assert summed(wire, begun) == whole(messages[2:])
    odd = [*messages[:2], (31 * MS, "<", b"\x17\x03\x03\xff\xff"), *messages[2:]]
    assert summed(wire, wire.conversation(odd)) == whole(odd)
    old = tls12(wire)
    mixed = [*old[:3], (40 * MS, "<", said(wire, (SEALED, 50))), *old[3:]]
    assert summed(wire, wire.conversation(mixed)) == whole(mixed)


def test_cut_frames_are_read_as_far_as_their_headers_stand(wire):
    packets = wire.conversation(tls13(wire, flight=(3_300,)))
    cut = [type(packet)(packet.at_us, packet.frame[:400], len(packet.frame)) for packet in packets]
    assert wire.sizes(cut) == [(405, 265)]
    shorter = [type(packet)(packet.at_us, packet.frame[:56], len(packet.frame)) for packet in packets]
    assert summed(wire, shorter) == whole(tls13(wire, flight=(3_300,)))


def test_without_the_server_nothing_is_known(wire):
    messages = [message for message in tls13(wire) if message[1] == ">"]
    assert summed(wire, wire.conversation(messages)[:1] + wire.conversation(messages)[2:])[0] == whole(messages)[0]


def test_more_records_than_are_read_keep_every_byte(wire):
    messages = tls13(wire, flight=(60,) * 30)
    assert summed(wire, wire.conversation(messages)) == whole(messages)
