"""Setting up with commands that are only written down: their order, what they are given, what their failure says."""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace

import pytest

from lab.stages.live.topology import addresses
from lab.stages.live.topology.image import netns

SPEC = addresses.handset(
    underlay="10.77.9.10",
    host="10.77.9.1",
    gateway_underlay="10.77.9.2",
    address="10.88.1.2",
    mac="02:00:00:00:00:01",
)
LINKS = [
    {"ifname": "lo", "address": "00:00:00:00:00:00"},
    {"ifname": "eth3", "address": "02:42:00:00:00:01"},
]
ADDRESSES = [{**LINKS[1], "addr_info": [{"local": "10.77.9.10", "prefixlen": 24}]}]
FEATURES = "Features for x:\ntx-checksumming: off\ntcp-segmentation-offload: {}\ngeneric-receive-offload: off [fixed]\n"


@pytest.fixture
def commands(monkeypatch):
    """Every command that was run, with its input; ``failing`` and ``tso`` are set by a test."""
    made = SimpleNamespace(run=[], failing="", tso="off")

    def run(words, **settings):
        made.run.append((" ".join(words), settings.get("input", "")))
        code = 1 if made.failing and made.failing in " ".join(words) else 0
        answers = {
            "ip -j -d -4 addr show": json.dumps(ADDRESSES),
            "ip -j -d link show": json.dumps(LINKS),
            "ip -j -4 route show table all": "",
            "bridge -j fdb show": "",
        }
        features = FEATURES.format(made.tso) if words[:2] == ("ethtool", "-k") else ""
        return SimpleNamespace(returncode=code, stdout=answers.get(" ".join(words), features), stderr="no such thing")

    monkeypatch.setattr(subprocess, "run", run)
    return made


def test_rules_come_before_links_and_links_before_floods(commands, capsys):
    assert netns.main([SPEC.to_json()]) == 0
    changing = [words for words, _ in commands.run if "show" not in words and not words.startswith("ethtool")]
    assert changing == ["nft -f -", "ip -batch -", "bridge -batch -"]
    said = json.loads(capsys.readouterr().out)
    assert (said["role"], said["device"], said["offloads_on"]) == ("handset", "eth3", {"eth3": [], "lab0": []})
    rules = dict(commands.run)["nft -f -"]
    assert 'iifname "eth3" ip saddr { 10.77.9.2 }' in rules


def test_an_offload_that_stays_on_is_named(commands, capsys):
    commands.tso = "on [fixed]"
    assert netns.main([SPEC.to_json()]) == 0
    assert json.loads(capsys.readouterr().out)["offloads_on"] == {"eth3": ["tso"], "lab0": ["tso"]}


@pytest.mark.parametrize("failing", ["nft -f", "ip -batch", "bridge -batch", "bridge -j"])
def test_a_command_that_fails_ends_it_with_its_words(commands, capsys, failing):
    commands.failing = failing
    assert netns.main([SPEC.to_json()]) == 1
    assert f"network not set up: {failing}" in capsys.readouterr().err
    done = [words for words, _ in commands.run]
    assert not any(words.startswith("ip -batch") for words in done) or failing != "nft -f"


@pytest.mark.parametrize("words", [[], ["{}"], ["x"], ["a", "b"]])
def test_a_wrong_argument_is_refused(commands, capsys, words):
    assert netns.main(words) == 1
    assert "network not set up" in capsys.readouterr().err
    assert commands.run == []
