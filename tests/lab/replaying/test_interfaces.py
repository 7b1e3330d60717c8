import json

import pytest

from lab.errors import PrerequisiteError
from lab.replaying import interfaces as module
from lab.replaying.interfaces import interface, interfaces, parted

LINKS = [
    {"ifname": "lo", "flags": ["LOOPBACK", "UP"], "mtu": 65536, "address": "00:00:00:00:00:00"},
    {"ifname": "eth0", "flags": ["UP"], "mtu": 1400, "address": "02:fc:00:00:00:01"},
    {"ifname": "tun0", "flags": ["UP"], "linkinfo": {"info_kind": "tun"}},
    {"ifname": "wg0", "flags": ["UP"], "linkinfo": {"info_kind": "wireguard"}},
    {
        "ifname": "dr-wire0",
        "flags": ["UP"],
        "mtu": 1500,
        "ifindex": 7,
        "link_index": 2,
        "ifalias": "droidrange wire dr-wire",
        "linkinfo": {"info_kind": "veth"},
        "stats64": {"tx": {"packets": 42}},
    },
    {},
]
FOUR = [
    {"dst": "default", "dev": "eth0"},
    {"dst": "10.0.0.0/8", "dev": "dr-wire0"},
    {"type": "unreachable", "dst": "default", "dev": "lo"},
    {"dst": "128.0.0.0/1", "dev": "tun0"},
]
SIX = [{"dst": "default", "nexthops": [{"dev": "wg0"}, {"via": {}}]}]


@pytest.fixture
def machine(monkeypatch):
    asked = []

    def told(*words):
        asked.append(words)
        if "netns" in words:
            return '[{"name": "lab"}, {"name": "aaa"}]'
        return json.dumps(LINKS if "link" in words else SIX if "-6" in words else FOUR)

    monkeypatch.setattr(module, "told", told)
    return asked


def test_interfaces_are_told_with_label_route_and_count(machine):
    found = interfaces()
    assert list(found) == ["lo", "eth0", "tun0", "wg0", "dr-wire0"]
    assert [one.name for one in found.values() if one.default_route] == ["eth0", "tun0", "wg0"]
    assert [one.name for one in found.values() if one.ours] == ["dr-wire0"]
    assert [one.name for one in found.values() if one.loopback] == ["lo"]
    assert (found["dr-wire0"].index, found["dr-wire0"].peer, found["eth0"].peer) == (7, 2, 0)
    assert (found["dr-wire0"].sent, found["dr-wire0"].kind, found["eth0"].kind) == (42, "veth", "")


def test_every_routing_table_is_asked(machine):
    interfaces()
    assert [words for words in machine if "route" in words] == [
        (family, "-j", "route", "show", "table", "all") for family in ("-4", "-6")
    ]


def test_an_interface_of_a_namespace_is_named_with_it(machine):
    assert parted("lab/dr-wire1") == ("lab", "dr-wire1")
    assert interface("lab/dr-wire0").spec == "lab/dr-wire0"
    assert ("-n", "lab", "-d", "-s", "-j", "link", "show") in machine
    assert interface("nowhere/dr-wire0") is None
    assert interface("dr-wire9") is None


def test_what_ip_says_of_a_failure_is_said(monkeypatch):
    with pytest.raises(PrerequisiteError, match="ip nonsense"):
        module.told("nonsense")
    monkeypatch.setattr(module.shutil, "which", lambda *_, **__: None)
    with pytest.raises(PrerequisiteError, match="apt-get install iproute2"):
        module.told("link")
