"""Every core scenario, played and read by tshark and Suricata: nothing malformed, and names as the timeline says."""

from __future__ import annotations

import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from lab.recording import CAPTURE, open_recording
from lab.scenario import compile_scenario, find_scenario, load_scenario, load_suite
from lab.stages import play

pytestmark = [pytest.mark.tools, pytest.mark.whole]
# suite core, and what speaks the protocols that it does not
CORE = (*load_suite("core").scenarios, "live-smtp", "live-imap", "live-connect")
BENCH = Path(__file__).parent / "bench"


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, str(BENCH))
    found = import_module("table_validity")
    for name in ("tshark", "suricata"):
        if found.judges.installed(name) is None:
            pytest.skip(f"{name} is not installed")
    yield found
    sys.path.remove(str(BENCH))


@pytest.fixture(scope="module", params=CORE)
def played(request, tmp_path_factory):
    timeline = compile_scenario(load_scenario(find_scenario(request.param)), 1)
    return timeline, play("wire", timeline, tmp_path_factory.mktemp("whole") / request.param)


def test_tshark_reads_every_packet_and_the_names_of_the_timeline(bench, played):
    timeline, folder = played
    expert = bench.judges.by_tshark(folder / CAPTURE)
    assert expert.packets == open_recording(folder).files[CAPTURE]["packets"]
    assert bench.tolerances.untolerated([("tshark", *what) for what in expert.classes]) == []
    said, speeches = timeline.conversations, timeline.speeches
    expected = {"SNI": Counter(), "Host": Counter()}
    for host, speech in zip(said.host.tolist(), said.speech.tolist(), strict=True):
        name, how = timeline.hosts[host].name, speeches[speech]
        clear = how.options.get("sni", name)
        if clear not in {"", "none"} and (how.tls or how.options.get("starttls") == "1"):
            expected["SNI"][clear] += 1
        elif name and not how.tls and how.protocol in ("http", "websocket"):
            expected["Host"][how.options.get("host", name)] += 1
    assert expert.names["SNI"] == expected["SNI"]
    assert set(expert.names["Host"]) >= set(expected["Host"])
    assert expert.names["qname"]
    assert bench.strangers(set().union(*expert.names.values()), *bench.clear_names(timeline)) == []


def test_suricata_decodes_every_packet_without_an_anomaly(bench, played, tmp_path):
    timeline, folder = played
    found = bench.judges.by_suricata(folder / CAPTURE, tmp_path)
    assert (found.packets, found.invalid) == (open_recording(folder).files[CAPTURE]["packets"], 0)
    assert bench.tolerances.untolerated([("Suricata", *map(str, what)) for what in found.classes]) == []
    assert found.flows == len(timeline.conversations.start)
