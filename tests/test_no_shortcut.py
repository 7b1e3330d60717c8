"""Nothing but behaviour separates the classes (DESIGN section 8): no column of a timeline is a shortcut.

A decision stump is a threshold on one column; over all thresholds it does as well as the column's AUC, folded at 0.5.
Compiled only, not played, and over many seeds of one evening hour: a label has few apps, so few seeds would show
nothing but chance. What the wire adds (TTL, JA4, certificates) depends on these columns alone.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from lab.scenario import compile_scenario, suite_scenarios

SEEDS = range(9)
HOUR = 3_600_000_000
CHANCE = 0.1


def auc(labels, column, *, fold=True):
    """The probability that a malicious row has the larger value, ties counted half, folded to 0.5 and above."""
    labels, column = np.asarray(labels, dtype=bool), np.asarray(column, dtype=float)
    _, ranks, counts = np.unique(column, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2.0
    positives = int(labels.sum())
    negatives = len(labels) - positives
    raw = (middle[ranks][labels].sum() - positives * (positives + 1) / 2) / (positives * negatives)
    return max(raw, 1.0 - raw) if fold else raw


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


def inventory_rows(scenario, timeline):
    """One row per installed app, silent ones too: label and what an inventory says of it, category and role as words."""
    behaviours = {app.package: len(app.behaviours) for app in scenario.apps}
    on = Counter(app.package for app in timeline.apps)
    malicious = {incident.app for incident in timeline.incidents}
    for number, app in enumerate(timeline.apps):
        if app.package != "netd":
            yield (
                (number in malicious),
                {
                    "on how many devices": on[app.package],
                    "roles": len(app.roles),
                    "sanctioned": app.sanctioned,
                    "behaviours": behaviours[app.package],
                    "package name length": len(app.package),
                    "label length": len(app.label),
                    "category": app.category,
                    "role": " ".join(app.roles),
                    "scenario": scenario.name,
                },
            )


@cache
def inventory():
    scenarios = suite_scenarios("core")[1] * len(SEEDS)
    found = [
        row
        for scenario, timeline in zip(scenarios, timelines(), strict=True)
        for row in inventory_rows(scenario, timeline)
    ]
    return np.array([label for label, _ in found]), {name: [row[name] for _, row in found] for name in found[0][1]}


def share_elsewhere(labels, words, groups):
    """How often a word is malicious in the other scenarios: what a detector that has seen those may know of it.

    A word seen nowhere else has the share of all. Leaving single rows out instead would show it its own app.
    """
    rows, bad = Counter(zip(words, groups, strict=True)), Counter()
    for label, word, group in zip(labels, words, groups, strict=True):
        bad[word, group] += bool(label)
    overall = float(np.mean(labels))
    shares = {}
    for word, group in rows:
        others = [pair for pair in rows if pair[0] == word and pair[1] != group]
        seen = sum(rows[pair] for pair in others)
        shares[word, group] = sum(bad[pair] for pair in others) / seen if seen else overall
    return [shares[pair] for pair in zip(words, groups, strict=True)]


INVENTORY_COLUMNS = [
    *("on how many devices", "roles", "sanctioned", "behaviours", "package name length", "label length"),
]


@pytest.mark.parametrize("column", INVENTORY_COLUMNS)
def test_no_column_of_the_inventory_is_a_shortcut(column):
    labels, columns = inventory()
    assert labels.sum() >= 120
    assert auc(labels, columns[column]) <= 0.5 + CHANCE


@pytest.mark.parametrize("word", ["category", "role"])
def test_no_word_of_the_inventory_is_a_shortcut(word):
    """Not folded at 0.5: an app's own scenario is left out, so its word looks the less malicious the rarer it is."""
    labels, columns = inventory()
    assert auc(labels, share_elsewhere(labels, columns[word], columns["scenario"]), fold=False) <= 0.5 + CHANCE
    of_attacks = {one for label, one in zip(labels, columns[word], strict=True) if label}
    honest = Counter(one for label, one in zip(labels, columns[word], strict=True) if not label)
    assert all(honest[one] >= 5 * len(SEEDS) for one in of_attacks), "where attacks are, honest apps are, too"


@pytest.mark.parametrize(
    "leak", ["always on two", "never a role", "own category", "two behaviours", "never sanctioned"]
)
def test_a_planted_leak_in_the_inventory_is_caught(leak):
    """The negative control: what the suite looked like before, one column at a time."""
    labels, columns = inventory()
    if leak == "own category":
        words = np.where(labels, "personalization", columns["category"]).tolist()
        assert auc(labels, share_elsewhere(labels, words, columns["scenario"]), fold=False) > 0.5 + CHANCE
        return
    column = {
        "always on two": np.where(labels, 2, 3),
        "never a role": ~labels & (np.arange(len(labels)) % 5 < 2),
        "two behaviours": np.where(labels, 2, columns["behaviours"]),
        "never sanctioned": ~labels & (np.arange(len(labels)) % 4 < 1),
    }[leak]
    assert auc(labels, column) > 0.5 + CHANCE


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
