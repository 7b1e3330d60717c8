"""Replay on real interfaces, in namespaces of its own: everything leaves once, in order, valid, and nowhere else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lab.errors import PrerequisiteError, ScenarioError
from lab.replay import Wishes, plan, replay
from lab.replaying import wiring
from lab.replaying.conversing import converse
from lab.replaying.interfaces import LABEL, interface, interfaces, namespaces, told
from lab.replaying.namespaces import within
from lab.replaying.outlets import opened

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes namespaces and raw sockets"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
]
DROIDRANGE = str(Path(sys.executable).with_name("droidrange"))
NUMBER = os.getpid() % 10_000
QUIET = lambda _done, _total: None  # noqa: E731 - a callback that says nothing


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    from lab.scenario import compile_scenario, find_scenario, load_scenario
    from lab.stages.wire import play

    timeline = compile_scenario(load_scenario(find_scenario("smoke-poll")), 7)
    return play(timeline, tmp_path_factory.mktemp("recordings") / "smoke-poll")


@pytest.fixture
def wire():
    name = f"drt{NUMBER}"
    yield wiring.up(name, legs=2)
    wiring.down([name])
    assert name not in namespaces()
    assert not [one for one in interfaces() if one.startswith(name)]


@contextmanager
def listening(spec):
    """A socket at an interface, with room for all that a test sends."""
    with opened(interface(spec), listens=True) as one:
        one.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        yield one


def heard(one):
    """Every frame that has come in."""
    frames = []
    while True:
        try:
            frames.append(one.recv(1 << 16, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return frames


def valid(frame):
    """Whether IP, TCP and UDP say the checksums that scapy computes."""
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.l2 import Ether

    said, again = Ether(frame), Ether(frame)
    layers = [layer for layer in (IP, TCP, UDP) if layer in again]
    for layer in layers:
        del again[layer].chksum
    made = Ether(bytes(again))
    return bool(layers) and all(said[layer].chksum == made[layer].chksum for layer in layers)


def test_every_frame_comes_out_at_the_other_end_once_in_order_and_valid(recorded, wire):
    wishes = Wishes(speed=2_000.0, loops=2, maps=("phone-01=10.50.0.1,198.18.0.0/15=10.60.0.0/15",))
    planned = plan(recorded, wishes, QUIET)
    rounds = [list(planned.prepared.frames())]
    with listening(wire.far[0].spec) as one:
        report = replay(planned, [wire.near[0].name], (), QUIET)
        rounds.append(list(planned.prepared.frames()))
        frames = heard(one)
    assert frames == [frame for frames in rounds for frame in frames]
    assert rounds[0] != rounds[1]
    assert all(map(valid, frames))
    assert report.sent == report.planned == len(frames) == report.counted[wire.near[0].name]
    assert not any(b"\x0a\x58\x22\x8c" in frame[26:34] for frame in frames)  # 10.88.34.140 is phone-01's old address


def test_two_legs_carry_one_side_each(recorded, wire):
    planned = plan(recorded, Wishes(speed=5_000.0), QUIET)
    with listening(wire.far[0].spec) as inside, listening(wire.far[1].spec) as outside:
        replay(planned, [one.name for one in wire.near], (), QUIET)
        frames = list(planned.prepared.frames())
        assert heard(inside) == [frame for frame, side in zip(frames, planned.side, strict=True) if side == 0]
        assert heard(outside) == [frame for frame, side in zip(frames, planned.side, strict=True) if side == 1]


def unacknowledged(frame):
    """The frame without what TCP acknowledges, which a live answer says of what has arrived by then."""
    from scapy.layers.inet import TCP
    from scapy.layers.l2 import Ether

    whole = Ether(frame)
    if TCP in whole:
        whole[TCP].ack = whole[TCP].chksum = 0
    return bytes(whole)


def test_servers_answer_live_and_a_sensor_sees_both_directions(recorded, wire):
    planned = plan(recorded, Wishes(speed=2_000.0), QUIET)
    with listening(wire.far[0].spec) as one:
        one.setsockopt(263, 23, 0)  # a sensor hears what leaves this end, too
        report = converse(planned, [wire.near[0].name], (), QUIET)
        frames = heard(one)
    assert report.sent == report.planned
    assert report.withheld == 0
    assert len(frames) == report.planned
    assert sorted(map(unacknowledged, frames)) == sorted(map(unacknowledged, planned.prepared.frames()))
    assert all(map(valid, frames))


def test_what_stands_in_line_is_passed_by_conversations_that_react(recorded, wire):
    told("-n", wire.name, "link", "add", "br0", "type", "bridge")
    for one in wire.far:
        told("-n", wire.name, "link", "set", one.name, "master", "br0")
    told("-n", wire.name, "link", "set", "br0", "up")
    planned = plan(recorded, Wishes(speed=2_000.0), QUIET)
    report = converse(planned, [one.name for one in wire.near], (), QUIET)
    assert report.sent == report.planned
    told("-n", wire.name, "link", "set", "br0", "down")
    stopped = converse(planned, [one.name for one in wire.near], (), QUIET)
    assert stopped.withheld > 0
    assert stopped.sent + stopped.withheld == stopped.planned


# Each set-up: how an interface "x" is made in a namespace of its own, what is named, and whether it may be sent on.
VETH = "link add x type veth peer name xp"
UP = "link set x up;link set xp up"
MINE = f"link set x alias {LABEL.replace(' ', '_')}"
LABELLED = f"{VETH};{UP};{MINE}"
SETUPS = {
    "labelled veth that leads elsewhere": (LABELLED, "x", (), False),
    "labelled veth, named as owned": (LABELLED, "x", ("x",), True),
    "veth without a label": (f"{VETH};{UP}", "x", (), False),
    "veth of another's label": (f"{VETH};{UP};link set x alias lab", "x", (), False),
    "label that only begins like ours": (f"{VETH};{UP};{MINE}s", "x", (), False),
    "label on the other end": (f"{VETH};{UP};link set xp alias {LABEL.replace(' ', '_')}", "x", (), False),
    "unlabelled veth, named as owned": (f"{VETH};{UP}", "x", ("x",), True),
    "unlabelled veth, another owned": (f"{VETH};{UP}", "x", ("xp", "canary"), False),
    "labelled veth that is down": (f"{VETH};{MINE}", "x", (), False),
    "down, named as owned": (VETH, "x", ("x",), False),
    "IPv4 default route through it": (
        f"{LABELLED};addr add 10.9.0.1/24 dev x;route add default via 10.9.0.2",
        "x",
        (),
        False,
    ),
    "IPv6 default route through it": (f"{LABELLED};-6 route add default dev x", "x", (), False),
    "default route in another table": (f"{LABELLED};route add default dev x table 77", "x", (), False),
    "default route, named as owned": (f"{LABELLED};route add default dev x", "x", ("x",), True),
    "multipath default route": (f"{LABELLED};route add default nexthop dev x nexthop dev canary", "x", (), False),
    "port of a bridge": (f"{LABELLED};link add br0 type bridge;link set x master br0", "x", (), False),
    "bridge with our label": (f"link add x type bridge;link set x up;{MINE}", "x", (), False),
    "ifb with our label": (f"link add x type ifb;link set x up;{MINE}", "x", (), False),
    "labelled tap": (f"tuntap add x mode tap;link set x up;{MINE}", "x", (), None),
    "tap without a label": ("tuntap add x mode tap;link set x up", "x", (), False),
    "loopback": ("link set lo up", "lo", (), False),
    "no such interface": ("link set lo up", "x", ("x",), False),
    "too narrow": (f"{LABELLED};link set x mtu 600", "x", (), False),
    "its name is the beginning of another": (f"{LABELLED};link set x name xx", "x", ("x",), False),
}


@pytest.mark.parametrize("what", SETUPS)
def test_nothing_leaves_where_it_was_not_named(recorded, what):
    """In a namespace of its own, beside a labelled canary that nobody named: not one frame may come out of that."""
    made, spec, owned, may = SETUPS[what]
    space = f"drs{NUMBER}"
    planned = plan(recorded, Wishes(speed=100_000.0), QUIET)
    told("netns", "add", space)
    try:
        with ExitStack() as held:
            held.enter_context(within(space))
            told("link", "add", "canary", "type", "veth", "peer", "name", "far")
            told("link", "set", "canary", "alias", f"{LABEL} canary")
            for end in ("canary", "far"):
                told("link", "set", end, "addrgenmode", "none")  # the kernel itself is to be silent there
                told("link", "set", end, "up")
            far = held.enter_context(listening("far"))
            before = interface("canary").sent
            for words in made.replace("link set x up", "link set x addrgenmode none;link set x up").split(";"):
                told(*(word.replace(LABEL.replace(" ", "_"), LABEL) for word in words.split()))
            if may is False:
                with pytest.raises(ScenarioError, match="--interface"):
                    replay(planned, [spec], owned, QUIET)
                assert interface("x") is None or interface("x").sent <= 5  # only what the kernel itself says
            elif may is True:
                assert replay(planned, [spec], owned, QUIET).sent == len(planned.due)
            else:
                report = replay(planned, [spec], owned, QUIET)  # allowed, but no program reads it: nothing is delivered
                assert report.dropped == report.sent
            assert [one for one in heard(far) if one in set(planned.prepared.frames())] == []
            assert interface("canary").sent == before
    finally:
        told("netns", "del", space)


def test_ctrl_c_ends_a_replay_with_130(recorded, wire):
    words = [DROIDRANGE, "replay", str(recorded), "-i", wire.near[0].name]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while interface(wire.near[0].name).sent == wire.near[0].sent and time.monotonic() < until:
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "interrupted" in said


@pytest.mark.tools
@pytest.mark.skipif(shutil.which("suricata") is None, reason="needs suricata")
def test_the_canary_hears_a_real_sensor_and_notices_when_it_has_gone(recorded, wire, tmp_path):
    """Suricata on the wire's far end, live: while it runs the canary is answered, afterwards it is not."""
    rule = 'alert dns any any -> any any (msg:"lab name looked up"; dns.query; content:"consumer-space"; sid:9000001;)'
    (tmp_path / "lab.rules").write_text(rule + "\n")
    far, eve = wire.far[0], tmp_path / "eve.json"
    words = ["-S", str(tmp_path / "lab.rules"), "-l", str(tmp_path), "-k", "none", "--af-packet=" + far.name]
    sensor = subprocess.Popen(
        ["ip", "netns", "exec", wire.name, "suricata", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    canary = [DROIDRANGE, "lab", "canary", str(recorded), "-i", wire.near[0].name, "--alerts", str(eve), "--json"]
    canary += ["--speed", "500", "--matching", "lab name"]
    try:
        until = time.monotonic() + 120
        while "Engine started" not in sensor.stdout.readline():
            assert time.monotonic() < until
            assert sensor.poll() is None
        answer = subprocess.run([*canary, "--within", "60s"], capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        assert json.loads(answer.stdout)["alert"] == "lab name looked up"
    finally:
        sensor.terminate()
        sensor.communicate(timeout=60)
    answer = subprocess.run([*canary, "--within", "1s"], capture_output=True, text=True, check=False)
    assert answer.returncode == 1, answer.stderr
    assert json.loads(answer.stdout)["alerted"] is False


def test_a_wire_is_made_once_found_again_and_taken_down_alone(wire):
    other = f"dru{NUMBER}"
    try:
        assert wiring.up(other).whole
        assert wiring.up(other).whole
        assert {wire.name, other} <= {one.name for one in wiring.wires()}
        assert wiring.down([other]) == [other]
        assert wire.name in {one.name for one in wiring.wires()}
    finally:
        if other in namespaces():
            wiring.down([other])
    with pytest.raises(PrerequisiteError, match="nowhere"), within("nowhere"):
        pytest.fail("entered")
