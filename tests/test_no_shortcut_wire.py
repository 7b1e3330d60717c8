"""What only packets show says nothing of the label, on a sample of suites: TTL and SYN fields, ClientHello, certificate,
MAC, and what QUIC says in the clear.

Read by shown_by_packets.py. Played are a part of an evening hour of the malicious scenarios and twins of core, and of
others that speak QUIC, HTTP/2, MQTT, mail, DoH and relay protocols (SAMPLE), a few phones each; what a device and host
say to each other counts once.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from lab.catalogue.columns import INTERVAL, LEAK, MARGIN, verdict_of
from lab.catalogue.stumps import spread, tree_auc, weighted_auc, word_auc
from lab.scenario import compile_scenario, find_scenario, load_scenario, suite_scenarios
from lab.stages import play

SEEDS, PHONES, SPAN = (1, 2, 4), 2, 1_800_000_000  # under seed 3 no customer comes to a relay of core in that time
SAMPLE = ("quic-poll", "quic-4m-clips", "http2-poll-39s-cs14", "http2-39s-courier", "mqtt-poll", "mqtt-60s-thermostat")
SAMPLE += ("imap-poll-drafts", "imap-4m-folders", "doh-poll-60s", "doh-60s-filter", "relay-http2-300-per-hour")
SAMPLE += ("share-http2-300-per-hour", "relay-socks5-lan", "share-socks5-lan", "wss-poll-exponential", "wss-5m-typing")
QUIC, QUIC_SEEDS = ("quic-poll", "quic-4m-clips"), range(1, 41)  # one host each: many seeds, and nobody else there
WORDS = {"JA4, ciphers", "JA4, extensions", "certificate, issuer"}
#: the same for all, by kind: one shape of SYN, one CA, one form of Initial; every other column must have several values
SAME = {"type of service", "don't fragment", "window", "options length"}
CONSTANT = {"syn": {*SAME, "TTL", "options"}, "syn-ack": SAME, "mac": set(), "hello": set(), "flight": set()}
CONSTANT["certificate"] = {f"certificate, {what}" for what in ("issuer", "lifetime", "names", "bytes")}
CONSTANT["quic"] = {
    f"QUIC, {what}" for what in ("TTL", "size", "length of the server's id", "length of the client's id")
}


def scenarios():
    """Those of core that have a part in a pair, and the sample."""
    core = [one for one in suite_scenarios("core")[1] if one.analytics or one.twin_of]
    return [*core, *(load_scenario(find_scenario(name)) for name in SAMPLE)]


def short(scenario):
    apps = tuple(replace(app, on=min(app.on, PHONES)) for app in scenario.apps)
    start = scenario.start - scenario.start % 86_400_000_000 + 19 * 3_600_000_000
    alone = {"background": replace(scenario.background, apps=0)} if scenario.name in QUIC else {}
    return replace(scenario, span=SPAN, start=start, devices=min(scenario.devices, PHONES), apps=apps, **alone)


KINDS = ("syn", "syn-ack", "mac", "hello", "certificate", "quic", "flight")


def recorded(folder):
    """(group, ends of flows with whether they are malicious, capture) of each scenario and seed."""
    made = []
    for number, scenario in enumerate(scenarios()):
        for seed in QUIC_SEEDS if scenario.name in QUIC else SEEDS:
            recording = folder / f"{number}-{seed}"
            play("wire", compile_scenario(short(scenario), seed), recording)
            rows = pq.read_table(recording / "truth" / "flows.parquet").to_pylist()
            known = {
                ((row["client"], row["client_port"]), (row["server"], row["server_port"])): row["incident"] is not None
                for row in rows
            }
            made.append((number * 100 + seed, known, (recording / "telemetry" / "capture.pcap").read_bytes()))
    return made


def table(packets, recordings):
    """Per kind: labels, groups of rows drawn together, and columns; once per device and host (MACs per device)."""
    found = {kind: ([], [], []) for kind in KINDS}
    for group, known, capture in recordings:
        seen = set()
        for kind, ends, traits in chain(packets.told(capture), (("flight", *one) for one in packets.flights(capture))):
            pair = kind, ends[0][0], "" if kind == "mac" else ends[1][0], known.get(ends)
            inbound = ends[1][0].startswith("10.88.")  # the phone itself answers: the same phone for every app
            if ends in known and pair not in seen and not inbound:
                seen.add(pair)
                for part, value in zip(found[kind], (known[ends], group, traits), strict=True):
                    part.append(value)
    return {
        kind: (
            np.array(labels),
            np.array(groups),
            {name: np.array([float(row[name]) for row in rows]) for name in rows[0]},
        )
        for kind, (labels, groups, rows) in found.items()
        if rows
    }


@pytest.fixture(scope="module")
def packets():
    """shown_by_packets.py beside this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(Path(__file__).parent), *sys.path])
        return import_module("shown_by_packets")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("wire"))


@pytest.fixture(scope="module")
def shown(packets, recordings):
    return table(packets, recordings)


@pytest.fixture(scope="module")
def leaky(packets, recordings):
    return table(packets, [(group, known, packets.rewritten(capture, known)) for group, known, capture in recordings])


def separation(name, labels, groups, column):
    """How well a column tells the classes apart: a hash as a word, a number by a threshold and by a small tree."""
    weight = np.ones(len(labels))
    if name in WORDS:
        return word_auc(labels, np.unique(column, return_inverse=True)[1], weight, groups)
    raw = weighted_auc(labels, column, weight)
    return max(raw, 1.0 - raw, tree_auc(labels, column[:, None], weight, groups))


def leaks(found):
    """The columns that tell the classes apart, by the rule of lab/catalogue/columns.py."""
    labels, groups, columns = found
    aucs = {name: separation(name, labels, groups, column) for name, column in columns.items()}
    counts = int(labels.sum()), int((~labels).sum())
    chance = {name: spread(labels, column, np.ones(len(labels)), counts) for name, column in columns.items()}
    return {name: round(auc, 3) for name, auc in aucs.items() if verdict_of(auc, chance[name]) == LEAK}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_packets_show_is_a_shortcut(shown, kind):
    labels, _, columns = shown[kind]
    different = np.arange(len(labels), dtype=np.float64)
    most = spread(labels, different, np.ones(len(labels)), (int(labels.sum()), int((~labels).sum())))
    assert INTERVAL * most <= MARGIN, f"{labels.sum()} malicious, {(~labels).sum()} benign: too few to tell"
    assert leaks(shown[kind]) == {}
    assert {name for name, column in columns.items() if len(np.unique(column)) == 1} <= CONSTANT[kind], (
        "nothing to judge"
    )


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("syn", "TTL"),
        ("syn-ack", "TTL"),
        ("mac", "MAC, last octet"),
        ("hello", "JA4, ciphers"),
        ("quic", "QUIC, TTL"),
        ("flight", "client's first words"),
    ],
)
def test_a_mild_leak_in_the_packets_is_caught(shown, leaky, kind, name):
    """The negative control: four in ten malicious flows have a value of their own in the capture, an AUC of 0.7."""
    assert name not in leaks(shown[kind])
    assert leaks(leaky[kind]).get(name, 0.0) > 0.6
