"""The wire stage as a whole: what lands on disk, equal bytes, and nothing that tells."""

from __future__ import annotations

import dataclasses
import shutil
import struct
import subprocess
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether

from lab.behaviours import Speech
from lab.errors import StageError
from lab.recording import open_recording, recording_hash
from lab.stages.dialogues import formats_of, slices
from lab.stages.link import links_of
from lab.stages.wire import play
from lab.truth import truth_of

CAPTURE = "telemetry/capture.pcap"


def frames(path: Path) -> list[tuple[int, bytes]]:
    data, place, found = path.read_bytes(), 24, []
    while place < len(data):
        seconds, micros, captured, length = struct.unpack_from("<IIII", data, place)
        assert captured == length
        found.append((seconds * 1_000_000 + micros, data[place + 16 : place + 16 + captured]))
        place += 16 + captured
    return found


def spoken(timeline):
    formats = formats_of(timeline)
    links = links_of(timeline, [found.TRANSPORT for found in formats])
    return links, list(slices(timeline, links, formats))


def said_by_side(timeline) -> dict[tuple[int, bool], bytes]:
    """(conversation, said by the device) -> all bytes it said."""
    said: dict[tuple[int, bool], bytes] = defaultdict(bytes)
    for part in spoken(timeline)[1]:
        m = part.messages
        for of, local, offset, length in zip(m.conversation, m.local, m.offset, m.length, strict=True):
            said[part.first + int(of), bool(local)] += part.payload[offset : offset + length].tobytes()
    return dict(said)


def carried_by_side(timeline, capture: Path) -> dict[tuple[int, bool], bytes]:
    """The same, read back from the capture: TCP by sequence number, UDP by order."""
    ports = {int(port): row for row, port in enumerate(timeline.conversations.client_port)}
    streams: dict[tuple[int, bool], dict[int, bytes]] = defaultdict(dict)
    starts: dict[tuple[int, bool], int] = {}
    for number, (_, raw) in enumerate(frames(capture)):
        packet = Ether(raw)
        l4 = packet[TCP] if TCP in packet else packet[UDP]
        row = ports[l4.sport] if l4.sport in ports else ports[l4.dport]
        key = row, packet[IP].src.startswith("10.88.3.")
        body = bytes(raw[34 + (l4.dataofs * 4 if TCP in packet else 8) :])
        if TCP in packet and "S" in l4.flags:
            starts[key] = l4.seq
        elif body:
            place = (l4.seq - starts[key]) % 2**32 if TCP in packet else number
            assert place not in streams[key], "a byte was sent twice"
            streams[key][place] = body
    for key, parts in streams.items():
        if key in starts:
            expected = 1
            for place in sorted(parts):
                assert place == expected, "a gap or an overlap"
                expected += len(parts[place])
    return {key: b"".join(parts[place] for place in sorted(parts)) for key, parts in streams.items()}


TRUTH = ("incidents.parquet", "contacts.parquet", "flows.parquet", "devices.parquet", "conn.log.labeled")


def test_recording_is_complete_and_counts_agree(tiny, tmp_path):
    recording = open_recording(play(tiny, tmp_path / "rec"))
    assert recording.partial is None
    assert recording.files[CAPTURE]["packets"] == len(frames(recording.folder / CAPTURE))
    assert set(recording.files) == {
        CAPTURE,
        *(f"telemetry/{name}.parquet" for name in ("sockets", "device_state", "packages", "http")),
        *(f"truth/{name}" for name in TRUTH),
    }
    assert recording.truth() == truth_of(tiny)
    assert [path.name for path in tmp_path.iterdir()] == ["rec"]


def test_same_timeline_gives_the_same_bytes_and_another_seed_does_not(tiny, timeline_of, talk, tmp_path):
    one, two = play(tiny, tmp_path / "one"), play(tiny, tmp_path / "two")
    assert recording_hash(one) == recording_hash(two)
    assert (one / CAPTURE).read_bytes() == (two / CAPTURE).read_bytes()
    talks = [talk([(0, 100, 200, 1000)])]
    seeds = [play(timeline_of(talks, seed=seed), tmp_path / f"seed-{seed}") for seed in (1, 2)]
    assert recording_hash(seeds[0]) != recording_hash(seeds[1])


def test_small_slices_and_blocks_give_the_same_capture(tiny, tmp_path, monkeypatch):
    whole = play(tiny, tmp_path / "whole")
    monkeypatch.setattr("lab.stages.dialogues.SLICE_BYTES", 1000)
    monkeypatch.setattr("lab.stages.wire.BLOCK", 7)
    assert recording_hash(play(tiny, tmp_path / "pieces")) == recording_hash(whole)


def test_checksums_agree_with_scapys(tiny, tmp_path):
    for _, raw in frames(play(tiny, tmp_path / "rec") / CAPTURE):
        packet = Ether(raw)
        l4 = TCP if TCP in packet else UDP
        found = packet[IP].chksum, packet[l4].chksum
        del packet[IP].chksum, packet[l4].chksum
        again = Ether(bytes(packet))
        assert (again[IP].chksum, again[l4].chksum) == found


def test_every_byte_said_is_carried(tiny, tmp_path):
    assert carried_by_side(tiny, play(tiny, tmp_path / "rec") / CAPTURE) == said_by_side(tiny)


def test_times_never_go_back(tiny, tmp_path):
    times = [time for time, _ in frames(play(tiny, tmp_path / "rec") / CAPTURE)]
    assert times == sorted(times)
    assert times[0] == tiny.start


def test_truth_is_never_under_telemetry(tiny, tmp_path):
    folder = play(tiny, tmp_path / "rec")
    names = {column for path in folder.glob("telemetry/*.parquet") for column in pq.read_schema(path).names}
    assert not names & {"incident", "behaviour", "analytic", "technique", "twin_of", "seed", "scenario", "settings"}
    secrets = [b"http-poll", b"AN1793", b"by-hand", b"Malicious"]
    texts = [str(pq.read_table(path).to_pydict()).encode() for path in folder.glob("telemetry/*.parquet")]
    texts.append((folder / CAPTURE).read_bytes())
    assert not [secret for secret in secrets for text in texts if secret in text]
    assert b"http-poll" in str(pq.read_table(folder / "truth/flows.parquet").to_pydict()).encode(), "control"


def test_refuses_to_overwrite_what_is_no_recording(tiny, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/diary.txt").write_text("dear diary")
    for replace in (False, True):
        with pytest.raises(FileExistsError, match="no recording"):
            play(tiny, tmp_path / "mine", replace=replace)
    assert (tmp_path / "mine/diary.txt").read_text() == "dear diary"


def test_replaces_a_recording_only_when_told(tiny, timeline_of, talk, tmp_path):
    folder = play(tiny, tmp_path / "rec")
    before = recording_hash(folder)
    other = timeline_of([talk([(0, 10, 20, 0)])])
    with pytest.raises(FileExistsError, match="--force"):
        play(other, folder)
    assert recording_hash(folder) == before
    play(other, folder, replace=True)
    assert recording_hash(folder) != before
    assert open_recording(folder).partial is None


@pytest.mark.parametrize("name", ["Rec", "re c", ".rec", "r" * 101, "ré"])
def test_refuses_a_name_no_recording_may_have(tiny, tmp_path, name):
    with pytest.raises(ValueError, match="recording name"):
        play(tiny, tmp_path / name)


def test_large_datagram_and_unknown_protocol_are_our_fault(timeline_of, talk, tmp_path, monkeypatch):
    monkeypatch.setattr("lab.protocols.datagram._cut", lambda size, _room: [size])
    with pytest.raises(StageError, match="datagram of 1473 bytes"):
        play(timeline_of([talk([(0, 1473, 0, 0)], speech=Speech("datagram", port=9))]), tmp_path / "rec")
    with pytest.raises(StageError, match="no protocol 'gopher'"):
        play(timeline_of([talk([], speech=Speech("gopher", port=70))]), tmp_path / "rec")
    assert list(tmp_path.iterdir()) == []


def test_nothing_said_is_a_recording_too(timeline_of, tmp_path):
    recording = open_recording(play(timeline_of([]), tmp_path / "rec"))
    assert recording.files[CAPTURE]["packets"] == 0


def test_progress_ends_at_its_total(tiny, tmp_path):
    seen: list[tuple[int, int]] = []
    play(tiny, tmp_path / "rec", progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]


def test_live_tls_differs_each_time_and_leaves_its_keys_to_the_truth(tiny, tmp_path):
    one, two = (play(tiny, tmp_path / name, real_tls=True) for name in ("one", "two"))
    assert recording_hash(one) != recording_hash(two)
    assert (one / "truth/tls-keys.log").read_text().startswith(("CLIENT", "SERVER", "EXPORTER"))
    assert open_recording(one).partial is None


TALKS = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.integers(0, 300_000), st.integers(0, 9_000), st.integers(0, 9_000), st.integers(0, 99_999)),
            max_size=5,
        ),
        st.integers(0, 1_000_000),
        st.sampled_from([(1, 0), (1, 1), (2, 3), (1, 2)]),
        st.sampled_from(
            [Speech("opaque", port=4433), Speech("opaque", tls=True), Speech("http"), Speech("datagram", port=99)]
        ),
        st.booleans(),
        st.integers(0, 3),
    ),
    max_size=5,
)


@given(drawn=TALKS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_tiny_timeline_is_carried_whole(timeline_of, talk, tmp_path, drawn):
    shutil.rmtree(tmp_path / "rec", ignore_errors=True)
    talks = [
        talk(sorted(x), start=start, app=app, host=host, speech=speech, inbound=inbound, stack=stack)
        for x, start, (app, host), speech, inbound, stack in drawn
    ]
    timeline = timeline_of(talks)
    capture = play(timeline, tmp_path / "rec") / CAPTURE
    assert carried_by_side(timeline, capture) == said_by_side(timeline)
    times = [time for time, _ in frames(capture)]
    assert times == sorted(times)


def tshark(capture: Path, *arguments: str) -> list[str]:
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    checks = [f"-o{name}.check_checksum:TRUE" for name in ("ip", "tcp", "udp")]
    done = subprocess.run(
        [program, "-n", "-r", capture, *checks, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


BAD = "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 || tcp.analysis.retransmission || tcp.analysis.out_of_order || tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment || tcp.analysis.duplicate_ack || tcp.analysis.window_full || tcp.analysis.reused_ports"


@pytest.mark.tools
def test_tshark_has_nothing_to_complain_of(tiny, tmp_path):
    capture = play(tiny, tmp_path / "rec") / CAPTURE
    assert tshark(capture, "-Y", BAD) == []
    assert len(tshark(capture)) == open_recording(tmp_path / "rec").files[CAPTURE]["packets"]
    data = bytearray(capture.read_bytes())
    data[24 + 16 + 14 + 15] ^= 1  # an address bit of the first packet
    (tmp_path / "bad.pcap").write_bytes(data)
    assert tshark(tmp_path / "bad.pcap", "-Y", BAD), "the control must be found out"


@pytest.mark.tools
def test_tshark_reads_the_names_the_timeline_says(tiny, tmp_path):
    capture = play(tiny, tmp_path / "rec") / CAPTURE
    fields = ("tls.handshake.extensions_server_name", "http.host", "dns.qry.name")
    rows = tshark(capture, "-Tfields", "-Eseparator=|", *(part for name in fields for part in ("-e", name)))
    names = [{value for value in column if value} for column in zip(*(row.split("|") for row in rows), strict=True)]
    assert names[0] == {"api.garden.example"}
    assert names[1] == {"cdn.river.test"}
    assert all(name.endswith(".garden.example") for name in names[2])
    assert names[2]


@pytest.mark.tools
def test_tshark_decrypts_live_tls(tiny, tmp_path):
    folder = play(tiny, tmp_path / "rec", real_tls=True)
    keys = f"-otls.keylog_file:{folder / 'truth/tls-keys.log'}"
    hosts = set(tshark(folder / CAPTURE, keys, "-Y", "http.request && tls", "-Tfields", "-e", "http.host"))
    assert hosts == {"api.garden.example"}
    assert tshark(folder / CAPTURE, "-Y", "http.request && tls") == [], "without the keys nothing is read"
    assert tshark(folder / CAPTURE, keys, "-Y", BAD) == []


def test_unknown_addresses_never_reach_the_disk(tiny, tmp_path):
    hosts = (*tiny.hosts[:-1], dataclasses.replace(tiny.hosts[-1], address="8.8.8.8"))
    with pytest.raises(StageError, match=r"8\.8\.8\.8"):
        play(dataclasses.replace(tiny, hosts=hosts), tmp_path / "rec")
    assert list(tmp_path.iterdir()) == []
