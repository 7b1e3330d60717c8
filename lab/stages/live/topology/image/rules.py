"""The nftables rules of each role: nothing passes that is not named here. Pure: specification in, text out.

The gateway's redirect and forward tables are its own; a packet must pass those and these. Overlay traffic is judged by
interface, underlay traffic by interface and address: VXLAN between known peers, one port for the host, nothing else.
"""

from __future__ import annotations

from lab.stages.live.topology.image.spec import Spec

TABLE = "droidrange_guard"
NFLOG_GROUP = 5
SNAPLEN = 128  # bytes of a logged packet: IP and TCP headers with options, to read ports and sequence numbers
VXLAN_PORT = 4789  # RFC 7348
ENGINE_DNS = "127.0.0.11"  # the engine's resolver would ask on the host's behalf
LINK_NET = "100.64.77.0/24"
UNDERLAY_POOL = "10.77.0.0/16"
NOTICES_PORT = 9100
ADB_PORT = 5555
DENIED = ("denied_in", "denied_out", "denied_forward")
_LOG_OUT = f'log prefix "out" group {NFLOG_GROUP} snaplen {SNAPLEN}'
_LOG_IN = f'log prefix "in" group {NFLOG_GROUP} snaplen {SNAPLEN}'


def ruleset(spec: Spec, device: str) -> str:
    """The whole table as one atomic nft script; ``device`` is the interface that has the underlay address."""
    peers = ", ".join(sorted({peer for overlay in spec.overlays for peer in overlay.peers}))
    vxlan_in = [f'iifname "{device}" ip saddr {{ {peers} }} udp dport {VXLAN_PORT} accept'] if peers else []
    vxlan_out = [f'oifname "{device}" ip daddr {{ {peers} }} udp dport {VXLAN_PORT} accept'] if peers else []
    host_in = f'iifname "{device}" ip saddr {spec.host} tcp dport {spec.host_port} accept'
    host_out = (
        f'oifname "{device}" ip daddr {spec.host} tcp sport {spec.host_port} '
        "ct direction reply ct state established accept"
    )
    inwards = [f"ip daddr {ENGINE_DNS} drop", 'iifname "lo" accept', "meta nfproto ipv6 counter name denied_in drop"]
    outwards = [f"ip daddr {ENGINE_DNS} goto deny", 'oifname "lo" accept', "meta nfproto ipv6 goto deny"]
    chains = {
        "input": [*inwards, *_ROLE_INPUT[spec.role](spec), *vxlan_in, host_in, "counter name denied_in"],
        "output": [*outwards, *_role_output(spec), *vxlan_out, host_out, "goto deny"],
        "forward": [*_role_forward(spec), "counter name denied_forward"],
    }
    return _script(chains)


def _script(chains: dict[str, list[str]]) -> str:
    lines = [f"add table inet {TABLE}", f"delete table inet {TABLE}", f"table inet {TABLE} {{"]
    lines += [f"  counter {name} {{ }}" for name in DENIED]
    refusal = ["counter name denied_out", "meta l4proto tcp reject with tcp reset", "reject"]
    lines += ["  chain deny {", *(f"    {rule}" for rule in refusal), "  }"]
    for hook in ("prerouting", "output"):  # tunnels need no connection tracking
        lines += [f"  chain untracked_{hook} {{", f"    type filter hook {hook} priority raw; policy accept;"]
        lines += [f"    udp dport {VXLAN_PORT} notrack", "  }"]
    for hook, rules in chains.items():
        lines += [f"  chain {hook} {{", f"    type filter hook {hook} priority filter; policy drop;"]
        lines += [*(f"    {rule}" for rule in rules), "  }"]
    return "\n".join([*lines, "}", ""])


def _gateway_input(_spec: Spec) -> list[str]:
    sides = 'iifname { "lab0", "inet0" }'
    return [
        'iifname "lab0" ct status dnat accept',  # what the gateway redirected to its proxy; the proxy's port itself: no
        f"{sides} ct state established,related accept",
        f"{sides} icmp type echo-request accept",
    ]


def _server_input(spec: Spec) -> list[str]:
    own = [
        f'iifname "inet0" ip daddr {UNDERLAY_POOL} counter name denied_in drop',
        f'iifname "inet0" ip daddr {LINK_NET} tcp dport {spec.host_port} counter name denied_in drop',
    ]
    gateway = spec.routes[0].via if spec.routes else spec.host
    notices = f'iifname "inet0" ip saddr != {gateway} udp dport {NOTICES_PORT} counter name denied_in drop'
    return [*own, notices, 'iifname "inet0" accept']


def _handset_input(_spec: Spec) -> list[str]:
    return [
        f'iifname "lab0" tcp dport {ADB_PORT} reject with tcp reset',  # the lab's own door, not the phone's
        f'iifname "lab0" tcp flags & (fin | syn) != 0 {_LOG_IN}',
        f'iifname "lab0" meta l4proto udp ct state new {_LOG_IN}',
        'iifname "lab0" accept',
    ]


_ROLE_INPUT = {
    "gateway": _gateway_input,
    "servers": _server_input,
    "strangers": _server_input,
    "handset": _handset_input,
}


def _role_output(spec: Spec) -> list[str]:
    if spec.role == "handset":
        return [f'oifname "lab0" ct state new {_LOG_OUT}', 'oifname "lab0" accept']
    return [f'oifname "{overlay.name}" accept' for overlay in spec.overlays]


def _role_forward(spec: Spec) -> list[str]:
    if spec.role != "gateway":
        return []
    return ['iifname "lab0" oifname { "lab0", "inet0" } accept', 'iifname "inet0" oifname "lab0" accept']
