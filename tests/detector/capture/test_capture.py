"""Real captures: as many packets as tshark reads, its server names, and its TCP payload."""

import shutil
import subprocess
import sys

import pytest

from detector.capture import CaptureError, read_capture

SAMPLE = (
    "wechat.pcap",
    "alexa-app.pcapng",
    "tls_heur__trojan-tcp-tls.pcapng",
    "KakaoTalk_chat.pcap",
    "android.pcap",
    "psiphon3.pcap",
)


def tshark(path, *options):
    if shutil.which("tshark") is None:
        pytest.skip("tshark is absent")
    run = subprocess.run(["tshark", "-n", "-r", str(path), *options], capture_output=True, text=True, check=True)
    return run.stdout.splitlines()


@pytest.mark.captures
@pytest.mark.tools
def test_packets_are_those_capinfos_counts(real_captures):
    if shutil.which("capinfos") is None:
        pytest.skip("capinfos is absent")
    run = subprocess.run(["capinfos", "-TrcM", *map(str, real_captures)], capture_output=True, text=True, check=True)
    expected = {line.split("\t")[0]: int(line.split("\t")[-1]) for line in run.stdout.splitlines()}
    assert {str(path): read_capture(path).stats.packets for path in real_captures} == expected


@pytest.mark.captures
@pytest.mark.tools
@pytest.mark.parametrize("name", SAMPLE)
def test_server_names_are_those_tshark_reads(real_captures, name):
    path = next(path for path in real_captures if path.name == name)
    said = tshark(
        path, "-Y", "tls.handshake.extensions_server_name", "-T", "fields", "-e", "tls.handshake.extensions_server_name"
    )
    ours = read_capture(path).flows
    tls = [row["sni"] for row in ours.to_pylist() if row["sni"] and row["app_proto"] != "quic"]
    assert set(tls) == {one for line in said for one in line.split(",")}


@pytest.mark.captures
@pytest.mark.tools
def test_stats_add_up_on_every_capture(real_captures):
    for path in real_captures:
        read = read_capture(path)
        stats, flows = read.stats, read.flows
        assert stats.packets == stats.ip_packets + stats.non_ip
        inside = sum(flows["packets_up"].to_pylist()) + sum(flows["packets_down"].to_pylist())
        assert stats.ip_packets - stats.short_frames - stats.fragments <= inside <= stats.ip_packets
        for name in ("bytes_up", "bytes_down"):
            asked = {row["flow"] for row in flows.to_pylist() if (row["proto"], row["server_port"]) == ("udp", 53)}
            for resolving in (False, True):  # where a query that is sent again counts once
                whole, spoken = (
                    sum(row[name] for row in table.to_pylist() if (row["flow"] in asked) == resolving)
                    for table in (flows, read.exchanges)
                )
                less = "tls" in flows["app_proto"].to_pylist() and not resolving
                assert spoken < whole if less else spoken <= whole if resolving else spoken == whole


@pytest.mark.captures
def test_a_cut_real_capture_is_refused_and_readable_in_part(real_captures, tmp_path):
    whole = next(path for path in real_captures if path.name == "test-cc-capture-1.pcap")
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(whole.read_bytes()[:100_000])
    with pytest.raises(CaptureError) as caught:
        read_capture(cut)
    partial = read_capture(cut, allow_partial=True)
    assert 0 < partial.stats.packets == caught.value.packet - 1
    assert partial.stats.partial


def test_importing_the_package_loads_no_reader():
    code = "import sys, detector.capture; print([name for name in sys.modules if name.startswith('detector.capture.')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['detector.capture.damage']"
