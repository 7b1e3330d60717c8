"""However a conversation is cut, repeated, shuffled or damaged, its exchanges stay the application's."""

import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.capture import read_capture

MS = 1_000
CCS, ALERT, CLEAR, SEALED = 20, 21, 22, 23
SHORT = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def modern(wire):
    def sealed(*sizes):
        return b"".join(wire.record(SEALED, size) for size in sizes)

    return [
        (10 * MS, ">", wire.record(CLEAR, 300, b"\1\0")),
        (30 * MS, "<", wire.record(CLEAR, 122, b"\2\0") + wire.record(CCS, 1) + sealed(38, 900, 53)),
        (50 * MS, ">", wire.record(CCS, 1) + sealed(53, 100)),
        (70 * MS, "<", sealed(266, 266)),
        (90 * MS, "<", sealed(700)),
        (110 * MS, ">", sealed(200)),
        (130 * MS, "<", sealed(400)),
        (150 * MS, ">", sealed(19)),
    ]


def old(wire):
    ended = wire.record(CCS, 1) + wire.record(CLEAR, 40)
    return [
        (10 * MS, ">", wire.record(CLEAR, 300, b"\1\0")),
        (30 * MS, "<", wire.record(CLEAR, 90, b"\2\0") + wire.record(CLEAR, 1_300) + wire.record(CLEAR, 4)),
        (50 * MS, ">", wire.record(CLEAR, 37) + ended),
        (70 * MS, "<", ended),
        (90 * MS, ">", wire.record(SEALED, 100)),
        (100 * MS, "<", wire.record(SEALED, 700)),
        (110 * MS, ">", wire.record(SEALED, 200)),
        (130 * MS, "<", wire.record(SEALED, 400)),
        (150 * MS, ">", wire.record(ALERT, 26)),
    ]


@SHORT
@given(st.sampled_from([modern, old]), st.lists(st.integers(1, 400), min_size=1, max_size=30))
def test_segmentation_changes_nothing(wire, form, lengths):
    state = iter(lengths * 100)

    def cut(said):
        parts = []
        while said:
            size = next(state, 500)
            parts.append(said[:size])
            said = said[size:]
        return parts

    assert wire.sizes(wire.conversation(form(wire), cut=cut)) == [(105, 705), (205, 405)]


@SHORT
@given(st.sampled_from([modern, old]), st.data())
def test_repeated_and_swapped_segments_change_nothing(wire, form, data):
    def cut(said):
        return [said[at : at + 200] for at in range(0, len(said), 200)]

    packets = wire.conversation(form(wire), cut=cut)
    for place in data.draw(st.lists(st.integers(2, len(packets) - 4), max_size=5)):
        one, following = packets[place], packets[place + 1]
        if following.at_us - one.at_us == 1:  # of one message
            packets[place : place + 2] = [
                type(one)(one.at_us, following.frame, None),
                type(one)(following.at_us, one.frame, None),
            ]
        packets.append(type(one)(200 * MS, one.frame, None))
    assert wire.sizes(packets) == [(105, 705), (205, 405)]


@SHORT
@given(st.sampled_from([modern, old]), st.data())
def test_damage_never_raises_and_never_adds(wire, form, data):
    packets = wire.conversation(form(wire))
    for place in data.draw(st.lists(st.integers(0, len(packets) - 1), max_size=6)):
        frame = bytearray(packets[place].frame)
        if len(frame) > 54:
            at = data.draw(st.integers(54, min(len(frame), 420) - 1))
            frame[at] = data.draw(st.integers(0, 255))
            frame = frame[: data.draw(st.integers(54, len(frame)))] if data.draw(st.booleans()) else frame
        packets[place] = type(packets[place])(packets[place].at_us, bytes(frame), len(packets[place].frame))
    drop = data.draw(st.sets(st.integers(0, len(packets) - 1), max_size=3))
    read = wire.read(wire.pcap([packet for place, packet in enumerate(packets) if place not in drop]))
    for name in ("bytes_up", "bytes_down"):
        assert 0 <= sum(read.exchanges[name].to_pylist()) <= sum(read.flows[name].to_pylist())
        assert min(read.exchanges[name].to_pylist(), default=0) >= 0


@pytest.mark.parametrize("wrapped", [b"CONNECT a.example:443 HTTP/1.1\r\n\r\n", b"\x05\x01\x00", b"STARTTLS\r\n"])
def test_wrapped_tls_keeps_every_byte(wire, wrapped):
    messages = [(2 * MS, ">", wrapped), (4 * MS, "<", b"yes\r\n"), *modern(wire)]
    found = wire.sizes(wire.conversation(messages))
    assert tuple(map(sum, zip(*found, strict=True))) == tuple(
        sum(len(data) for _, way, data in messages if way == wanted) for wanted in "><"
    )


def test_many_flows_do_not_mix(wire):
    packets = []
    for number in range(20):
        for packet in wire.conversation((modern, old)[number % 2](wire)):
            frame = bytearray(packet.frame)
            port = 36 if frame[26:30] == wire.address("198.18.0.9") else 34
            frame[port : port + 2] = struct.pack(">H", 41_000 + number)
            packets.append(type(packet)(packet.at_us + number, bytes(frame)))
    packets.sort(key=lambda packet: packet.at_us)
    assert wire.sizes(packets) == [(105, 705), (205, 405)] * 20


@pytest.mark.captures
def test_real_captures_lose_no_request(real_captures):
    found = read_capture({path.parent.name: path for path in real_captures}["slips-test-cc-1"])
    rows = found.exchanges.to_pylist()
    first = {row["flow"]: row for row in reversed(rows)}
    tls = [row["flow"] for row in found.flows.to_pylist() if row["app_proto"] == "tls"]
    assert len(tls) == 299
    # curl asks over HTTP/2: preface, settings, window update and request follow the Finished
    assert {first[flow]["bytes_up"] for flow in tls} <= set(range(180, 230))
