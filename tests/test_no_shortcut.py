"""Nothing but behaviour separates the classes (DESIGN section 8): no column of a timeline is a shortcut.

A decision stump is a threshold on one column; over all thresholds it does as well as the column's AUC, folded at 0.5.
Compiled only, not played, and over many seeds of one evening hour: a label has few apps, so few seeds would show
nothing but chance. What the wire adds (TTL, JA4, certificates) depends on these columns alone.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from lab.scenario import compile_scenario, suite_scenarios

SEEDS = range(9)
HOUR = 3_600_000_000
CHANCE = 0.1


def auc(labels, column):
    """The probability that a malicious row has the larger value, ties counted half, folded to 0.5 and above."""
    labels, column = np.asarray(labels, dtype=bool), np.asarray(column, dtype=float)
    _, ranks, counts = np.unique(column, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2.0
    positives = int(labels.sum())
    negatives = len(labels) - positives
    raw = (middle[ranks][labels].sum() - positives * (positives + 1) / 2) / (positives * negatives)
    return max(raw, 1.0 - raw)


@cache
def timelines():
    _, scenarios = suite_scenarios("core")
    evening = [replace(one, span=HOUR, start=one.start + 19 * HOUR) for one in scenarios]
    return [compile_scenario(one, seed) for seed in SEEDS for one in evening]


def low(address):
    return int(ipaddress.ip_address(address)) & 0xFF


def app_rows(timeline):
    """One row per installed app: label and what may not tell it."""
    said = timeline.conversations
    malicious = {incident.app for incident in timeline.incidents}
    first_seen = np.full(len(timeline.apps), -1, dtype=np.int64)
    first_seen[said.app[::-1]] = np.arange(len(said.start))[::-1]
    first_app = np.searchsorted([app.device for app in timeline.apps], [app.device for app in timeline.apps])
    for number, app in enumerate(timeline.apps):
        if app.package != "netd" and first_seen[number] >= 0:
            first = first_seen[number]
            yield (
                (number in malicious),
                {
                    "uid": app.uid,
                    "uid parity": app.uid % 2,
                    "position on the device": number - int(first_app[number]),
                    "TLS stack": app.stack,
                    "user agent": hash_free(app.agent),
                    "package name length": len(app.package),
                    "label length": len(app.label),
                    "device": app.device,
                    "device address": low(timeline.devices[app.device].address),
                    "first client port": int(said.client_port[first]),
                    "first second of its minute": int(said.start[first] // 1_000_000 % 60),
                    "first microsecond": int(said.start[first] % 1_000_000),
                },
            )


def hash_free(text):
    return sum(text.encode())


def peer_rows(timeline):
    """One row per app and host it speaks to: label and what may not tell it. The resolver is everybody's."""
    said = timeline.conversations
    own = said.behaviour != timeline.behaviours.index("name-lookup")
    _, first = np.unique(np.stack([said.app[own], said.host[own]]), axis=1, return_index=True)
    rows = np.flatnonzero(own)[first]
    for row in rows.tolist():
        host = timeline.hosts[said.host[row]]
        if host.address.startswith("10.88."):
            continue
        yield (
            (said.incident[row] >= 0),
            {
                "address, low byte": low(host.address),
                "address, parity": low(host.address) % 2,
                "address, half of the network": int(host.address.split(".")[1]),
                "round trip": host.rtt_us,
                "name length": len(host.name) if host.name else None,
                "labels of the name": host.name.count(".") if host.name else None,
                "digits in the name": sum(c.isdigit() for c in host.name) if host.name else None,
                "top-level name": host.name.endswith(".test") if host.name else None,
                "hyphens in the name": host.name.count("-") if host.name else None,
                "seed parity": int(said.seed[row]) % 2,
                "client port": int(said.client_port[row]),
                "client port parity": int(said.client_port[row]) % 2,
                "microsecond": int(said.start[row] % 1_000_000),
            },
        )


@cache
def table(level):
    found = [row for timeline in timelines() for row in level(timeline)]
    labels = np.array([label for label, _ in found])
    return labels, {name: [row[name] for _, row in found] for name in found[0][1]}


def stump(level, column):
    labels, columns = table(level)
    known = np.array([value is not None for value in columns[column]])
    values = np.array([value for value in columns[column] if value is not None], dtype=float)
    return auc(labels[known], values)


APP_COLUMNS = [
    *("uid", "uid parity", "position on the device", "TLS stack", "user agent", "package name length", "label length"),
    *("device", "device address", "first client port", "first second of its minute", "first microsecond"),
]
PEER_COLUMNS = [
    *("address, low byte", "address, parity", "address, half of the network", "round trip", "name length"),
    *("labels of the name", "digits in the name", "top-level name", "hyphens in the name"),
    *("seed parity", "client port", "client port parity", "microsecond"),
]


@pytest.mark.parametrize("column", APP_COLUMNS)
def test_no_column_of_an_app_is_a_shortcut(column):
    assert stump(app_rows, column) <= 0.5 + CHANCE


@pytest.mark.parametrize("column", PEER_COLUMNS)
def test_no_column_of_a_peer_is_a_shortcut(column):
    assert stump(peer_rows, column) <= 0.5 + CHANCE


def test_every_column_is_under_test():
    assert set(table(app_rows)[1]) == set(APP_COLUMNS)
    assert set(table(peer_rows)[1]) == set(PEER_COLUMNS)
    assert table(app_rows)[0].sum() >= 120


def speeches(timeline, *, malicious):
    said = timeline.conversations
    own = (said.behaviour != timeline.behaviours.index("name-lookup")) & ((said.incident >= 0) == malicious)
    used = {(int(s), bool(i)) for s, i in zip(said.speech[own], said.inbound[own], strict=True)}
    return {(timeline.speeches[s].protocol, timeline.speeches[s].tls, timeline.speeches[s].port, i) for s, i in used}


def test_every_protocol_and_port_of_an_attack_is_also_honest():
    attacks, honest = set(), set()
    for timeline in timelines()[: len(suite_scenarios("core")[1]) * 3]:
        attacks |= speeches(timeline, malicious=True)
        honest |= speeches(timeline, malicious=False)
    assert attacks
    assert attacks <= honest


def test_every_tls_stack_of_an_attack_is_also_honest():
    attacks, honest = set(), set()
    for timeline in timelines():
        said = timeline.conversations
        attacks |= set(said.stack[said.incident >= 0].tolist())
        honest |= set(said.stack[said.incident < 0].tolist())
    assert attacks <= honest


@pytest.mark.parametrize("leak", ["odd addresses", "one stack", "early ports", "long names"])
def test_a_planted_leak_is_caught(leak):
    """The negative control: the same rows with one column given away."""
    labels, columns = table(peer_rows)
    rng = np.random.default_rng(1)
    values = {
        "odd addresses": np.array(columns["address, low byte"]) // 2 * 2 + labels,
        "one stack": np.where(labels, 3, rng.integers(0, 14, len(labels))),
        "early ports": np.where(labels, 33_000, columns["client port"]),
        "long names": np.array([len(str(value)) for value in columns["client port"]]) + 4 * labels,
    }[leak]
    column = values % 2 if leak == "odd addresses" else np.abs(values - 3) if leak == "one stack" else values
    assert auc(labels, column) > 0.5 + CHANCE


def test_auc_is_that_of_the_pairs():
    rng = np.random.default_rng(1)
    labels, column = rng.random(60) < 0.4, rng.integers(0, 9, 60)
    above = np.sign(column[labels][:, None] - column[~labels][None, :])
    raw = ((above + 1) / 2).mean()
    assert auc(labels, column) == pytest.approx(max(raw, 1 - raw))
    assert auc([True, False, True, False], [1, 1, 1, 1]) == 0.5
    assert auc([True, True, False], [1, 1, 2]) == 1.0
