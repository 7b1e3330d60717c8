"""No silent loss: every way in which a file is damaged is an error that says at which packet and byte."""

import re
import shutil
import struct
import subprocess

import pytest

from detector.capture import CaptureError
from detector.capture.interfaces import EARLIEST_US, LATEST_US
from detector.contract import microseconds, rfc3339

FRAMES = [bytes([number]) * (60 + number) for number in range(3)]
RECORD = 24 + 16 + 60  # where the second record of the pcap begins


def three(wire):
    packets = [wire.udp(at, b"question" + bytes(at)) for at in range(3)]
    return packets, wire.pcap(packets), wire.pcapng(packets)


def patched(data, offset, value, form="<I"):
    out = bytearray(data)
    struct.pack_into(form, out, offset, value)
    return bytes(out)


def second(wire):
    packets, data, _ = three(wire)
    return data, 24 + 16 + len(packets[0].frame)


def second_block(wire):
    packets, _, data = three(wire)
    return data, len(wire.pcapng(packets[:1]))


# name -> (file, packet that cannot be read, byte at which it shows)
def cut_in_packet(wire):
    data, _ = second(wire)
    return data[:-1], 3, len(data) - 1


def cut_in_record_header(wire):
    data, at = second(wire)
    return data[: at + 7], 2, at + 7


def huge_caplen(wire):
    data, at = second(wire)
    return patched(data, at + 8, 0xFFFF_FFFF), 2, at + 8


def caplen_256_mib(wire):
    data, at = second(wire)
    return patched(data, at + 8, 256 << 20), 2, at + 8


def caplen_just_too_large(wire):
    data, at = second(wire)
    return patched(data, at + 8, 262_145), 2, at + 8


def unknown_link(wire):
    return wire.pcap(three(wire)[0], link=999), 1, 20


def old_version(wire):
    return patched(three(wire)[1], 6, 2, "<H"), 1, 4


def cut_in_file_header(wire):
    return three(wire)[1][:23], 1, 23


def block_length_0(wire):
    data, at = second_block(wire)
    return patched(data, at + 4, 0), 2, at + 4


def block_length_4_gib(wire):
    data, at = second_block(wire)
    return patched(data, at + 4, 0xFFFF_FFFC), 2, at + 4


def block_length_odd(wire):
    data, at = second_block(wire)
    return patched(data, at + 4, 71), 2, at + 4


def other_trailing_length(wire):
    data, at = second_block(wire)
    return patched(data, at - 4, 76), 1, len(wire.section()) + len(wire.interface())


def interface_7_of_1(wire):
    data, at = second_block(wire)
    return patched(data, at + 8, 7), 2, at


def caplen_over_block(wire):
    data, at = second_block(wire)
    return patched(data, at + 20, 200), 2, at


def packet_before_interface(wire):
    packets = three(wire)[0]
    return wire.section() + wire.enhanced(packets[0]) + wire.interface(), 1, len(wire.section())


def interface_of_earlier_section(wire):
    packets, _, data = three(wire)
    return data + wire.section() + wire.enhanced(packets[0]), 4, len(data) + 28


def unknown_link_of_interface(wire):
    return wire.pcapng(three(wire)[0], link=999), 1, 48


def block_cut(wire):
    data, _ = second_block(wire)
    return data[:-3], 3, len(data) - 3


def block_head_cut(wire):
    data, at = second_block(wire)
    return data[: at + 5], 2, at + 5


def block_too_short_for_packet(wire):
    data = wire.section() + wire.interface() + wire.block(6, bytes(12))
    return data, 1, 48


def option_over_block(wire):
    data = wire.section() + wire.interface(options=struct.pack("<HH", 2, 40) + b"wlan")
    return data, 1, 28


def resolution_too_fine(wire):
    return wire.section() + wire.interface(options=struct.pack("<HHB", 9, 1, 63)), 1, 28


def at_a_time(wire, ticks, offset_s=0):
    """A file whose second packet has so many ticks; the third is sound."""
    packets = three(wire)[0]
    options = struct.pack("<HHq", 14, 8, offset_s)
    before = wire.section() + wire.interface() + wire.interface(options=options) + wire.enhanced(packets[0])
    late = wire.enhanced(packets[1], interface=1, ticks=ticks)
    return before + late + wire.enhanced(packets[2]), 2, len(before)


def nanoseconds_taken_for_microseconds(wire):
    return at_a_time(wire, 1_772_409_600_000_000_000)


def year_10000(wire):
    return at_a_time(wire, LATEST_US + 1)


def year_0(wire):
    return at_a_time(wire, 999_999, EARLIEST_US // 1_000_000 - 1)


def pcapng_version_2(wire):
    return patched(three(wire)[2], 12, 2, "<H"), 1, 0


def no_byte_order(wire):
    return patched(three(wire)[2], 8, 0), 1, 8


CASES = [
    cut_in_packet,
    cut_in_record_header,
    huge_caplen,
    caplen_256_mib,
    caplen_just_too_large,
    unknown_link,
    old_version,
    cut_in_file_header,
    block_length_0,
    block_length_4_gib,
    block_length_odd,
    other_trailing_length,
    interface_7_of_1,
    caplen_over_block,
    packet_before_interface,
    interface_of_earlier_section,
    unknown_link_of_interface,
    block_cut,
    block_head_cut,
    block_too_short_for_packet,
    option_over_block,
    resolution_too_fine,
    nanoseconds_taken_for_microseconds,
    year_10000,
    year_0,
    pcapng_version_2,
    no_byte_order,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_damage_has_a_place_and_nothing_before_it_is_lost(wire, case):
    data, packet, offset = case(wire)
    with pytest.raises(CaptureError) as caught:
        wire.read(data)
    fault = caught.value
    assert (fault.packet, fault.offset) == (packet, offset)
    assert fault.path == wire.path
    for part in (str(wire.path), f"packet {packet}", f"byte {offset}", fault.found, fault.expected, "--allow-partial"):
        assert part in str(fault)
    partial = wire.read(data, allow_partial=True)
    assert partial.stats.packets == packet - 1
    assert f"packet {packet}, byte {offset}" in partial.stats.partial


@pytest.mark.parametrize(("ticks", "offset_s"), [(LATEST_US, 0), (0, EARLIEST_US // 1_000_000)])
def test_the_first_and_the_last_time_with_a_date_are_no_damage(wire, ticks, offset_s):
    stats = wire.read(at_a_time(wire, ticks, offset_s)[0]).stats
    assert {rfc3339(stats.first)[:10], rfc3339(stats.last)[:10]} & {"0001-01-01", "9999-12-31"}
    assert microseconds(rfc3339(stats.first)) == stats.first


def test_a_time_without_a_date_is_told_with_what_decides_it(wire):
    with pytest.raises(CaptureError, match=r"found a time 56165 years after 1970, expected .* if_tsresol"):
        wire.read(nanoseconds_taken_for_microseconds(wire)[0])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "an empty file"),
        (b"\xd4\xc3", "2 bytes"),
        (b"hello world, this is text", "is this a capture?"),
        (b"\x1f\x8b\x08\x00 gzip", "gunzip"),
        (bytes.fromhex("34cdb2a1") + bytes(20), "editcap"),
        (bytes.fromhex("a1b2cd34") + bytes(20), "modified"),
    ],
)
@pytest.mark.parametrize("allow_partial", [False, True])
def test_what_is_no_capture_is_refused_with_advice(wire, data, said, allow_partial):
    with pytest.raises(CaptureError, match=said.replace("?", r"\?")):
        wire.read(data, allow_partial=allow_partial)


def test_what_tshark_accepts_is_accepted(wire):
    packets = three(wire)[0]
    data = wire.pcap(packets, snaplen=10)
    late = patched(data, 24 + 4, 4_000_000_000)  # microseconds of the first packet: 4,000 seconds
    assert wire.read(late).stats.out_of_order == 1
    longer = patched(data, 24 + 12, 1)  # fewer bytes on the wire than captured
    assert wire.read(longer).flows.to_pylist() == wire.read(data).flows.to_pylist()
    assert wire.read(wire.pcap([])).stats.packets == 0
    assert wire.read(wire.pcapng([])).flows.num_rows == 0
    assert wire.read(wire.section()).stats.first is None


#: Where Wireshark's verdict differs from ours, and why ours stands.
DEVIATIONS = {
    "huge_caplen": "Wireshark retries with the record layouts of patched libpcaps and counts three packets before its error",
    "caplen_256_mib": "the same",
    "caplen_just_too_large": "the same",
    "old_version": "before pcap 2.4 the two lengths stood in either order: refused, not guessed",
    "unknown_link_of_interface": "Wireshark counts packets it cannot dissect; none of them could be in a flow",
    "resolution_too_fine": "Wireshark complains only once a packet comes; we do at the interface",
    "nanoseconds_taken_for_microseconds": "Wireshark shows any year; RFC 3339, in which findings are written, ends at 9999",
    "year_10000": "the same",
    "year_0": "the same, and before year 1",
}


@pytest.mark.tools
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_verdict_is_wiresharks_or_a_listed_deviation(wire, case):
    if shutil.which("capinfos") is None:
        pytest.skip("capinfos is absent")
    data, packet, _ = case(wire)
    run = subprocess.run(["capinfos", "-cM", str(wire.write(data))], capture_output=True, text=True, check=False)
    after = re.search(r"after reading (\d+) packets", run.stderr)
    agrees = run.returncode != 0 and int(after.group(1) if after else 0) == packet - 1
    assert agrees is (case.__name__ not in DEVIATIONS), run.stderr
