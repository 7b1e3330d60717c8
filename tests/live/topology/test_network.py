"""A lab's network with real containers: who reaches whom, over which frames, and what survives a new start."""

from __future__ import annotations

import json
import time

import pytest

from lab.errors import StageError
from lab.stages.live.engine import image_tag
from lab.stages.live.topology import addresses
from lab.stages.live.topology.namespaces import readdress, set_up, start_sensor
from lab.stages.live.topology.sensor_stream import SensorStream

pytestmark = pytest.mark.live

PHONE, TABLET, NEIGHBOUR, CALLER, WEB = "10.88.1.10", "10.88.1.11", "10.88.0.77", "198.19.0.9", "198.18.5.5"
BOUND_S = 60.0  # of every wait: it ends a hang, and judges no speed

HEAR = """
import socket, time
seen = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
seen.bind(('lab0', 0))
seen.settimeout(0.2)
print('ready', flush=True)
longest, count, until = 0, 0, time.monotonic() + 40
while time.monotonic() < until:
    try:
        longest, count = max(longest, len(seen.recv(99999))), count + 1
        if count == 9:
            until = time.monotonic() + 2
    except TimeoutError:
        pass
print(longest, count)
"""
BULK = (
    "import socket; s = socket.create_connection(('198.18.5.5', 80), 20); s.sendall(b'z' * 9999); print(len(s.recv(1)))"
)


@pytest.mark.parametrize(
    ("source", "address", "port", "seen_as"),
    [
        ("phone", WEB, 80, PHONE),
        ("phone", "198.19.255.254", 80, PHONE),
        ("phone", NEIGHBOUR, 80, PHONE),
        ("phone", TABLET, 8080, PHONE),
        ("strangers", TABLET, 8080, CALLER),
    ],
)
def test_everybody_reaches_whom_the_lab_lets_them_reach_under_their_own_address(lab, source, address, port, seen_as):
    own = CALLER if source == "strangers" else ""
    assert lab.talk(source, address, port, own, user="65534") == seen_as


@pytest.mark.parametrize(("source", "port"), [("phone", 5555), ("strangers", 5555), ("phone", 9000)])
def test_the_lab_s_own_doors_are_shut_on_the_overlay(lab, source, port):
    address = TABLET if port == 5555 else WEB
    with pytest.raises(AssertionError, match=r"refused|timed out"):
        lab.talk(source, address, port)


def test_every_interface_is_wire_like(lab):
    assert {
        name: answer["offloads_on"] for name, answer in lab.answers.items() if any(answer["offloads_on"].values())
    } == {}


def test_no_frame_is_longer_than_an_ethernet_s(lab):
    words = ["python3", "-c", HEAR]
    caps = {"caps": ("NET_RAW", "NET_ADMIN")}
    ear = lab.engine.sidecar(
        lab.session, "setup", image_tag("topology"), "ear", beside=lab.made["gateway"], command=words, **caps
    )
    assert lab.until(lambda: b"ready" in ear.logs())
    lab.said(lab.made["phone"], "python3", "-c", BULK, user="10123")
    ear.wait(timeout=BOUND_S)
    longest, count = map(int, ear.logs().split()[1:])
    lab.engine.remove(ear)
    assert count > 8
    assert longest == 1514


def test_a_handset_moves_within_a_tenth_of_a_second(lab):
    spec, took, exec_s = lab.specs["tablet"], [], []
    for number in (21, 22, 23):
        back = {"host": spec.host, "gateway_underlay": lab.specs["gateway"].underlay}
        new = addresses.handset(
            underlay=spec.underlay, address=f"10.88.2.{number}", mac=f"02:00:00:00:00:{number}", **back
        )
        begun = time.monotonic()
        lab.said(lab.sensors["tablet"], "true")
        exec_s.append(time.monotonic() - begun)
        begun = time.monotonic()
        readdress(lab.sensors["tablet"], spec, new)
        took.append(time.monotonic() - begun)
        assert lab.talk("tablet", WEB, user="10123") == f"10.88.2.{number}"
        spec = new
    readdress(lab.sensors["tablet"], spec, lab.specs["tablet"])
    assert lab.talk("tablet", WEB) == TABLET
    assert min(took) < 0.1 + 2 * min(exec_s)  # the engine's own time for a command is the machine's affair


def test_setting_up_again_touches_no_interface_that_is_right(lab):
    def state():
        rows = json.loads(lab.said(lab.made["gateway"], "ip", "-j", "link"))
        return [(row["ifname"], row["ifindex"], row["address"]) for row in rows]

    before = state()
    set_up(lab.engine, lab.session, lab.made["gateway"], "gateway", lab.specs["gateway"])
    assert state() == before
    assert lab.talk("phone", WEB) == PHONE


def test_a_gateway_that_was_started_again_serves_within_seconds(lab):
    gateway = lab.made["gateway"]
    gateway.restart(timeout=1)
    with pytest.raises(AssertionError):
        lab.talk("phone", WEB)
    begun = time.monotonic()
    set_up(lab.engine, lab.session, gateway, "gateway", lab.specs["gateway"])
    assert lab.talk("phone", WEB) == PHONE
    assert time.monotonic() - begun < BOUND_S


def test_what_cannot_be_set_up_says_why(lab):
    wrong = addresses.handset(
        underlay="10.77.255.9",
        host="10.77.255.1",
        gateway_underlay="10.77.255.2",
        address=PHONE,
        mac="02:00:00:00:00:01",
    )
    with pytest.raises(StageError, match="no interface has the address"):
        set_up(lab.engine, lab.session, lab.made["servers"], "odd", wrong)
    sensor = start_sensor(lab.engine, lab.session, lab.made["servers"], "odd", wrong)
    with pytest.raises(StageError, match="no interface has the address"):
        SensorStream(sensor, lambda _event: None).start()
