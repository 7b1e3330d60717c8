"""Injection as a whole: the background untouched, every injected flow joined, nothing that stands out but behaviour."""

import dataclasses
import json
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from detector.capture import read_capture
from lab.catalogue.stumps import weighted_auc
from lab.errors import EvidenceError, ScenarioError
from lab.inject import Wish, inject
from lab.injecting.habits import OTHER, STREAM, class_of, role_of
from lab.recording import open_recording

MARGIN = 0.1
ENOUGH = 50  # packets of each side below which a column of a real capture is not judged
CAPTURES = Path(__file__).parents[3] / "shared" / "data" / "captures"
REAL = ["ndpi-alexa-app", "ndpi-wechat-66min", "slips-test-cc-1", "ndpi-opera-vpn", "pcapdroid-http-proxy"]
FORMS = [("pcap", 1), ("nano", 1), ("big", 1), ("pcapng", 1), ("pcap", 101), ("pcap", 113), ("pcapng", 276)]


@pytest.fixture(scope="module")
def merged(backgrounds, smoke_recording, tmp_path_factory):
    """A phone's hour with the smoke scenario in it."""
    folder = tmp_path_factory.mktemp("merged")
    into = backgrounds.background().save(folder / "home.pcap")
    about = inject(smoke_recording, into, folder / "out", Wish())
    return folder / "out", into, about


def own(about):
    return {int(ip_address(address)) for address in about["devices"].values()}


@pytest.mark.parametrize(("form", "link"), FORMS)
def test_the_background_stays_byte_by_byte_in_its_order(backgrounds, smoke_recording, tmp_path, form, link):
    home = backgrounds.background(40)
    into = home.save(tmp_path / "home.cap", form, link)
    about = inject(smoke_recording, into, tmp_path / "out", Wish())
    heads, frames = backgrounds.heads_in(tmp_path / "out/telemetry/capture.pcap")
    mine = np.isin(heads.src, list(own(about))) | np.isin(heads.dst, list(own(about)))
    kept = [frames[row] for row in heads.row[~mine].tolist()]
    assert kept == home.frames(link)
    assert heads.time[~mine].tolist() == [time for time, _, _ in home.packets]
    assert len(frames) == len(kept) + about["packets"]
    assert (np.diff(heads.time) >= 0).all()
    headers = {frames[row][: len(backgrounds.LINK_HEADERS[link][0])] for row in heads.row[mine].tolist()}
    assert headers == set(backgrounds.LINK_HEADERS[link])


def test_a_background_whose_clock_runs_back_keeps_its_order(backgrounds, smoke_recording, tmp_path):
    home = backgrounds.background(40)
    home.packets[100:300] = home.packets[100:300][::-1]
    about = inject(smoke_recording, home.save(tmp_path / "home.pcap"), tmp_path / "out", Wish())
    heads, frames = backgrounds.heads_in(tmp_path / "out/telemetry/capture.pcap")
    mine = np.isin(heads.src, list(own(about))) | np.isin(heads.dst, list(own(about)))
    assert [frames[row] for row in heads.row[~mine].tolist()] == home.frames()


def test_every_injected_flow_joins_its_truth_and_every_other_is_background(merged):
    folder, _, about = merged
    rows = pq.read_table(folder / "truth/flows.parquet").to_pylist()
    ends = ("client", "client_port", "server", "server_port", "proto")
    known = {}
    for row in rows:
        known.setdefault(tuple(row[name] for name in ends), []).append(row)
    flows = read_capture(folder / "telemetry/capture.pcap").flows.to_pylist()
    mine = [flow for flow in flows if {flow["client"], flow["server"]} & set(about["devices"].values())]
    assert len(mine) > 50
    for flow in flows:
        joined = [
            row
            for row in known.get(tuple(flow[name] for name in ends), ())
            if row["start"] - 2_000_000 <= flow["start"] <= row["end"] + 2_000_000
        ]
        assert joined, flow
        assert all((row["behaviour"] == "background") == (flow not in mine) for row in joined)
    labels = {line.split("\t")[-2] for line in (folder / "truth/conn.log.labeled").read_text().splitlines()[7:]}
    assert labels == {"Malicious", "Benign", "Background"}


def test_the_recording_is_whole_and_says_what_it_is_made_of(merged, smoke_recording):
    folder, into, about = merged
    opened, source = open_recording(folder), open_recording(smoke_recording)
    assert opened.partial is None
    assert opened.start == source.start + about["shift_us"] == about["background"]["first"]
    said = json.loads((folder / "recording.json").read_text())["injection"]
    assert said == json.loads(json.dumps(about))
    assert said["background"]["sha256"] == __import__("hashlib").sha256(into.read_bytes()).hexdigest()
    truth, before = opened.truth(), source.truth()
    assert truth.background is not None
    assert [one.contacts for one in truth.incidents] == [one.contacts for one in before.incidents]
    for new, old in zip(truth.incidents, before.incidents, strict=True):
        assert (new.start - old.start, new.end - old.end) == (about["shift_us"],) * 2
    assert set(truth.devices.values()) == set(about["devices"].values())


def columns(heads, up):
    """Of each kind of column the packets that have it."""
    stream = class_of(heads) == STREAM
    plain = stream & (role_of(heads) == OTHER)
    for way in (True, False):
        side = up == way
        yield f"ttl {way}", heads.ttl, side & stream
        yield f"ident {way}", heads.ident, side & plain  # Linux numbers every SYN-ACK 0
        yield f"window {way}", heads.window, side & plain
        yield f"mss {way}", heads.mss, side & (heads.mss >= 0)


def stumps(heads, mine, up):
    """The AUC of each column by threshold, and by the values that one class has more of than the other."""
    found = {}
    for name, column, rows in columns(heads, up):
        label, values = mine[rows], column[rows]
        _, place = np.unique(values, return_inverse=True)
        share = np.bincount(place, label) / label.sum() - np.bincount(place, ~label) / (~label).sum()
        found[name] = weighted_auc(label, values.astype(float), np.ones(len(label)))
        found[f"{name} split"] = 0.5 + np.abs(np.cumsum(share)).max() / 2
    return found


def test_nothing_but_behaviour_stands_out(merged, backgrounds):
    folder, _, about = merged
    heads, frames = backgrounds.heads_in(folder / "telemetry/capture.pcap")
    sent = np.isin(heads.src, list(own(about)))
    mine = sent | np.isin(heads.dst, list(own(about)))
    up = np.where(mine, sent, heads.src == int(ip_address(backgrounds.PHONE)))
    worst = {name: auc for name, auc in stumps(heads, mine, up).items() if abs(auc - 0.5) > MARGIN}
    assert worst == {}
    for way in (True, False):
        macs = {frozenset(frames[row][:12] for row in heads.row[some & (up == way)].tolist()) for some in (mine, ~mine)}
        assert len(macs) == 1


def test_a_recording_that_is_only_mixed_in_stands_out(backgrounds, smoke_recording, tmp_path):
    """The control of the test above: what the recording itself has, beside the same background."""
    several = [smoke_recording / "telemetry/capture.pcap", backgrounds.background().save(tmp_path / "home.pcap")]
    read = [backgrounds.heads_in(path)[0] for path in several]
    heads = type(read[0]).joined(read)
    mine = np.arange(len(heads)) < len(read[0])
    up = np.where(mine, (heads.src >> 16) == 0x0A58, heads.src == int(ip_address(backgrounds.PHONE)))
    found = stumps(heads, mine, up)
    loud = {name.split()[0] for name, auc in found.items() if abs(auc - 0.5) > MARGIN}
    assert {"ttl", "window", "mss"} <= loud


def test_as_device_a_host_of_the_capture_takes_no_port_it_uses(backgrounds, smoke_recording, tmp_path):
    home = backgrounds.background(60)
    ports = {struct_port(data) for _, up, data in home.packets if up}
    truth = pq.read_table(smoke_recording / "truth/flows.parquet").to_pylist()
    name = truth[0]["device"]
    taken = sorted({row["client_port"] for row in truth if row["device"] == name and row["client_port"]})[:20]
    home = crowded(backgrounds, home, taken)
    into = home.save(tmp_path / "home.pcap")
    about = inject(smoke_recording, into, tmp_path / "out", Wish(devices={name: backgrounds.PHONE}))
    assert about["shared"] == [name]
    rows = pq.read_table(tmp_path / "out/truth/flows.parquet").to_pylist()
    mine = {row["client_port"] for row in rows if row["device"] == name and row["client_port"]}
    assert mine
    assert not mine & (ports | set(taken))
    sockets = pq.read_table(tmp_path / "out/telemetry/sockets.parquet").to_pylist()
    assert {row["local_port"] for row in sockets if row["device"] == name and row["event"] == "connect"} <= mine
    assert open_recording(tmp_path / "out").truth().background.shared[name] >= {"192.168.7.1"}


def struct_port(data):
    return int.from_bytes(data[20:22], "big")


def crowded(backgrounds, home, ports):
    """The background with a datagram from each of these ports."""
    more = [
        (
            home.packets[0][0] + k,
            True,
            backgrounds.datagram(
                (backgrounds.PHONE, "93.184.9.9"), 17, bytes.fromhex(f"{port:04x}01bb00080000"), 64, k
            ),
        )
        for k, port in enumerate(ports)
    ]
    return replace(home, packets=sorted([*home.packets, *more], key=lambda one: one[0]))


def test_a_second_injection_avoids_the_first_ones_addresses(merged, smoke_recording, tmp_path, backgrounds):
    folder, _, about = merged
    again = inject(smoke_recording, folder / "telemetry/capture.pcap", tmp_path / "twice", Wish(at="+10m"))
    assert not set(again["devices"].values()) & set(about["devices"].values())
    rows = pq.read_table(tmp_path / "twice/truth/flows.parquet").to_pylist()
    hosts = [{row["server"] for row in rows if (row["behaviour"] == "background") == known} for known in (True, False)]
    assert hosts[0] & hosts[1] <= {backgrounds.ROUTER}
    flows = read_capture(tmp_path / "twice/telemetry/capture.pcap")
    named = [row for row in flows.flows.to_pylist() if row["client"] in again["devices"].values() and row["name"]]
    asked = {
        (row["qname"], answer)
        for row in flows.dns.to_pylist()
        for answer in row["answers"]
        if row["client"] in again["devices"].values()
    }
    assert {(row["name"], row["server"]) for row in named if row["server"].startswith("198.")} <= asked


def test_long_segments_are_cut_as_the_path_demands(merged, backgrounds):
    folder, _, about = merged
    heads, _ = backgrounds.heads_in(folder / "telemetry/capture.pcap")
    mine = np.isin(heads.src, list(own(about))) | np.isin(heads.dst, list(own(about)))
    assert heads.size[mine & (heads.proto == 6)].max() <= 1_380
    assert set(heads.mss[mine & (heads.mss >= 0)].tolist()) <= {1_340, 1_380}


def test_a_snap_length_cuts_what_is_injected(backgrounds, smoke_recording, tmp_path):
    into = backgrounds.background(40).save(tmp_path / "cut.pcap", snap=96)
    inject(smoke_recording, into, tmp_path / "out", Wish())
    _, frames = backgrounds.heads_in(tmp_path / "out/telemetry/capture.pcap")
    assert max(map(len, frames)) == 96


def test_a_truncated_background_is_refused_with_packet_and_byte(backgrounds, smoke_recording, tmp_path):
    into = backgrounds.background(40).save(tmp_path / "home.pcap")
    into.write_bytes(into.read_bytes()[:-7])
    with pytest.raises(EvidenceError, match=r"packet \d+, byte \d+: found end of file.*--allow-partial"):
        inject(smoke_recording, into, tmp_path / "out", Wish())
    assert not (tmp_path / "out").exists()
    about = inject(smoke_recording, into, tmp_path / "out", Wish(allow_partial=True))
    assert "end of file" in about["background"]["partial"]
    assert about["background"]["packets"] == len(backgrounds.background(40).packets) - 1
    assert open_recording(tmp_path / "out").partial is None


def test_what_cannot_be_injected_is_refused(backgrounds, smoke_recording, tmp_path):
    into = backgrounds.background(9).save(tmp_path / "home.pcap")
    with pytest.raises(ScenarioError, match="expected NAME=IP"):
        inject(smoke_recording, into, tmp_path / "out", Wish(devices={"": "192.168.7.9"}))
    with pytest.raises(FileNotFoundError):
        inject(smoke_recording, tmp_path / "none.pcap", tmp_path / "out", Wish())
    (tmp_path / "empty.pcap").write_bytes(into.read_bytes()[:24])
    with pytest.raises(EvidenceError, match="no packet"):
        inject(smoke_recording, tmp_path / "empty.pcap", tmp_path / "out", Wish())
    (tmp_path / "out").mkdir()
    with pytest.raises(FileExistsError):
        inject(smoke_recording, into, tmp_path / "out", Wish())


def test_the_same_injection_gives_the_same_bytes(merged, smoke_recording, tmp_path):
    folder, into, _ = merged
    inject(smoke_recording, into, tmp_path / "again", Wish())
    for name in json.loads((folder / "recording.json").read_text())["files"]:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("name", REAL)
def test_real_captures_take_a_recording_that_does_not_stand_out(backgrounds, smoke_recording, tmp_path, name):
    if not CAPTURES.is_dir():
        pytest.skip("no real captures in ../shared/data/captures")
    (into,) = (path for path in (CAPTURES / name).iterdir() if path.suffix in (".pcap", ".pcapng"))
    about = inject(smoke_recording, into, tmp_path / "out", Wish())
    heads, frames = backgrounds.heads_in(tmp_path / "out/telemetry/capture.pcap")
    wanted = backgrounds.heads_in(into)[1]
    sent = ~heads.v6 & np.isin(heads.src, list(own(about)))
    mine = sent | (~heads.v6 & np.isin(heads.dst, list(own(about))))
    others = set(range(len(frames))) - set(heads.row[mine].tolist())
    assert [frames[row] for row in sorted(others)] == wanted
    model = int(ip_address(about["model"]))
    rows = mine | (heads.src == model) | (heads.dst == model)
    up = np.where(mine, sent, heads.src == model)
    loud = {}
    for column, values, kind in columns(heads, up):
        few = min((rows & kind & mine).sum(), (rows & kind & ~mine).sum())
        if few >= ENOUGH:
            chosen = rows & kind
            auc = weighted_auc(mine[chosen], values[chosen].astype(float), np.ones(int(chosen.sum())))
            loud |= {column: auc} if abs(auc - 0.5) > MARGIN else {}
    assert loud == {}


def test_a_wish_is_a_value():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Wish().at = "+1s"
