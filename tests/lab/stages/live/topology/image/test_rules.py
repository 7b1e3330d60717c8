"""The rules of each role: one as a golden text, all of them against a policy, and the policy against bad rules."""

from __future__ import annotations

import re

import pytest

from lab.stages.live.topology import addresses
from lab.stages.live.topology.image.rules import ruleset

HOST, GATEWAY = "10.77.9.1", "10.77.9.2"
BACK = {"host": HOST, "gateway_underlay": GATEWAY}
SPECS = {
    "gateway": addresses.gateway(
        underlay=GATEWAY, host=HOST, handsets=["10.77.9.10"], servers="10.77.9.3", strangers="10.77.9.4"
    ),
    "servers": addresses.servers(underlay="10.77.9.3", **BACK),
    "strangers": addresses.strangers(underlay="10.77.9.4", **BACK),
    "handset": addresses.handset(underlay="10.77.9.10", address="10.88.1.2", mac="02:00:00:00:00:01", **BACK),
}
HANDSET = """\
add table inet droidrange_guard
delete table inet droidrange_guard
table inet droidrange_guard {
  counter denied_in { }
  counter denied_out { }
  counter denied_forward { }
  chain deny {
    counter name denied_out
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain untracked_prerouting {
    type filter hook prerouting priority raw; policy accept;
    udp dport 4789 notrack
  }
  chain untracked_output {
    type filter hook output priority raw; policy accept;
    udp dport 4789 notrack
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ip daddr 127.0.0.11 drop
    iifname "lo" accept
    meta nfproto ipv6 counter name denied_in drop
    iifname "lab0" tcp dport 5555 reject with tcp reset
    iifname "lab0" tcp flags & (fin | syn) != 0 log prefix "in" group 5 snaplen 128
    iifname "lab0" meta l4proto udp ct state new log prefix "in" group 5 snaplen 128
    iifname "lab0" accept
    iifname "eth7" ip saddr { 10.77.9.2 } udp dport 4789 accept
    iifname "eth7" ip saddr 10.77.9.1 tcp dport 5555 accept
    counter name denied_in
  }
  chain output {
    type filter hook output priority filter; policy drop;
    ip daddr 127.0.0.11 goto deny
    oifname "lo" accept
    meta nfproto ipv6 goto deny
    oifname "lab0" ct state new log prefix "out" group 5 snaplen 128
    oifname "lab0" accept
    oifname "eth7" ip daddr { 10.77.9.2 } udp dport 4789 accept
    oifname "eth7" ip daddr 10.77.9.1 tcp sport 5555 ct direction reply ct state established accept
    goto deny
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    counter name denied_forward
  }
}
"""
#: What may be accepted at all; everything else is a breach.
ALLOWED = {
    "input": [
        r'iifname "lo" accept',
        r'iifname "(lab0|inet0)" accept',
        r'iifname "lab0" ct status dnat accept',
        r'iifname \{ "lab0", "inet0" \} (ct state established,related|icmp type echo-request) accept',
        r'iifname "eth7" ip saddr \{ [0-9., ]+ \} udp dport 4789 accept',
        rf'iifname "eth7" ip saddr {HOST} tcp dport (5555|9000) accept',
    ],
    "output": [
        r'oifname "(lo|lab0|inet0)" accept',
        r'oifname "eth7" ip daddr \{ [0-9., ]+ \} udp dport 4789 accept',
        rf'oifname "eth7" ip daddr {HOST} tcp sport (5555|9000) ct direction reply ct state established accept',
    ],
    "forward": [
        r'iifname "lab0" oifname \{ "lab0", "inet0" \} accept',
        r'iifname "inet0" oifname "lab0" accept',
    ],
}


def chain(text: str, name: str) -> list[str]:
    found = re.search(rf"^  chain {name} \{{\n(.*?)^  \}}", text, re.MULTILINE | re.DOTALL)
    assert found
    return [line.strip() for line in found.group(1).splitlines()]


def breaches(text: str) -> list[str]:
    found = []
    for name, allowed in ALLOWED.items():
        head, *rules = chain(text, name)
        if "policy drop" not in head:
            found.append(f"{name}: {head}")
        accepting = [rule for rule in rules if rule.endswith("accept")]
        found += [rule for rule in accepting if not any(re.fullmatch(pattern, rule) for pattern in allowed)]
    output = chain(text, "output")
    if output[1] != "ip daddr 127.0.0.11 goto deny" or output[-1] != "goto deny":
        found.append("output: the engine's resolver or the end is not denied")
    for name in ("input", "output"):
        rules = chain(text, name)
        others = [index for index, rule in enumerate(rules) if rule.endswith("accept") and '"lo"' not in rule]
        if not any("nfproto ipv6" in rule for rule in rules[: others[0]]):
            found.append(f"{name}: IPv6 is not refused first")
    return found


def test_the_rules_of_a_handset():
    assert ruleset(SPECS["handset"], "eth7") == HANDSET


@pytest.mark.parametrize("role", sorted(SPECS))
def test_nothing_is_accepted_that_is_not_allowed(role):
    text = ruleset(SPECS[role], "eth7")
    assert breaches(text) == []
    assert text.startswith(
        "add table inet droidrange_guard\ndelete table inet droidrange_guard\n"
    )  # atomic, repeatable
    assert "forward" in text
    assert (len(chain(text, "forward")) > 2) == (role == "gateway")


@pytest.mark.parametrize(
    ("rule", "worse"),
    [
        ("policy drop", "policy accept"),
        ("ip daddr 127.0.0.11 goto deny", "ip daddr 127.0.0.12 goto deny"),
        (f"ip saddr {HOST} tcp", "tcp"),
        ("ct direction reply ct state established ", ""),
        ('oifname "lab0" accept', "accept"),
        ("{ 10.77.9.2 } udp dport 4789", "{ 10.77.9.2 } udp dport 53"),
        ("    goto deny\n  }\n  chain forward", "  }\n  chain forward"),
        ("    meta nfproto ipv6 goto deny\n", ""),
    ],
)
def test_a_breach_of_the_policy_is_found(rule, worse):
    assert rule in HANDSET
    assert breaches(HANDSET.replace(rule, worse)) != []


def test_only_the_gateway_speaks_to_the_proxies_and_only_by_redirection():
    rules = chain(ruleset(SPECS["gateway"], "eth7"), "input")
    assert not any(re.search(r"dport (?!4789|9000)", rule) for rule in rules)
    assert 'iifname "lab0" ct status dnat accept' in rules


@pytest.mark.parametrize("role", ["servers", "strangers"])
def test_servers_doors_are_shut_on_the_overlay_before_it_is_let_in(role):
    rules = chain(ruleset(SPECS[role], "eth7"), "input")
    let_in = rules.index('iifname "inet0" accept')
    shut = [rule for rule in rules[:let_in] if rule.endswith("drop") and "inet0" in rule]
    assert [
        rule for rule in shut if "tcp dport 9000" in rule or "10.77.0.0/16" in rule or "udp dport 9100" in rule
    ] == shut
    assert len(shut) == 3
    assert any("ip saddr != 100.64.77.1 udp dport 9100" in rule for rule in shut)
