"""A lab's network with real containers: who reaches whom, and whether the sensor misses anybody."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from ipaddress import IPv4Network
from types import SimpleNamespace

import pytest

from lab.errors import StageError
from lab.stages.live.engine import connect, ensure_images, image_tag, open_session, sweep
from lab.stages.live.topology import addresses
from lab.stages.live.topology.namespaces import readdress, set_up, start_sensor
from lab.stages.live.topology.sensor_stream import SensorStream
from lab.stages.live.topology.sockets import socket_rows

pytestmark = pytest.mark.live

PHONE, TABLET, NEIGHBOUR, CALLER, WEB = "10.88.1.10", "10.88.1.11", "10.88.0.77", "198.19.0.9", "198.18.5.5"

BOUND_S = 60.0  # of every wait: it ends a hang, and judges no speed

SERVE = """
import socket, sys, threading
def tcp(port):
    server = socket.create_server(('', port), backlog=4000)
    while True:
        opened, peer = server.accept()
        opened.sendall(peer[0].encode() + b' ' + opened.recv(9999) * 10)
        opened.close()
def udp(address):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    while True:
        data, peer = server.recvfrom(9999)
        server.sendto(data * 3, peer)
threading.Thread(target=udp, args=(sys.argv[2],), daemon=True).start()
tcp(int(sys.argv[1]))
"""
TALK = """
import socket, sys
address, port, source, times, wide = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
def work(number):
    for index in range(number, times, wide):
        opened = socket.create_connection((address, port), 10, (source, 0))
        opened.sendall(b'x' * (10 + index % 1200))
        data = b''
        while part := opened.recv(65536):
            data += part
        opened.close()
        if times == 1:
            print(data.split()[0].decode())
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(wide) as pool:
    list(pool.map(work, range(wide)))
"""
ASK = """
import socket, sys
for index in range(500):
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asked.bind(('', 20000 + index))
    asked.settimeout(20)
    asked.connect((sys.argv[1], 53))
    asked.send(b'q' * (10 + index))
    asked.recv(9999)
    asked.close()
"""
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


@pytest.fixture(scope="module")
def lab():
    engine = connect()
    ensure_images(engine, print, roles=["base", "topology"])
    session = open_session()
    try:
        yield bring_up(engine, session)
    finally:
        sweep(engine, [session.id])
        engine.close()


def bring_up(engine, session):
    network = engine.network(session)
    network.reload()
    subnet = IPv4Network(network.attrs["IPAM"]["Config"][0]["Subnet"])
    at = {"gateway": str(subnet[2]), "servers": str(subnet[3]), "strangers": str(subnet[4])}
    at |= {"phone": str(subnet[5]), "tablet": str(subnet[6])}
    made = {
        name: engine.run(
            session,
            role,
            image_tag("topology"),
            name,
            network=network.name,
            address=at[name],
            command=["sleep", "600"],
            sysctls=addresses.sysctls(role),
        )
        for name, role in [(one, one) for one in list(at)[:3]] + [("phone", "handset"), ("tablet", "handset")]
    }
    host = str(subnet[1])
    back = {"host": host, "gateway_underlay": at["gateway"]}
    specs = {
        "gateway": addresses.gateway(
            underlay=at["gateway"],
            host=host,
            handsets=[at["phone"], at["tablet"]],
            servers=at["servers"],
            strangers=at["strangers"],
            neighbours=[NEIGHBOUR],
            incoming=[CALLER],
        ),
        "servers": addresses.servers(underlay=at["servers"], neighbours=[NEIGHBOUR], **back),
        "strangers": addresses.strangers(underlay=at["strangers"], incoming=[CALLER], **back),
        "phone": addresses.handset(underlay=at["phone"], address=PHONE, mac="02:00:00:00:00:0a", **back),
        "tablet": addresses.handset(underlay=at["tablet"], address=TABLET, mac="02:00:00:00:00:0b", **back),
    }
    answers = {
        name: set_up(engine, session, made[name], name, specs[name]) for name in ("gateway", "servers", "strangers")
    }
    sensors = {name: start_sensor(engine, session, made[name], name, specs[name]) for name in ("phone", "tablet")}
    lab = SimpleNamespace(engine=engine, session=session, made=made, specs=specs, answers=answers, sensors=sensors)
    lab.streams, lab.events = {}, {"phone": [], "tablet": []}
    for name, sensor in sensors.items():
        lab.streams[name] = SensorStream(sensor, lab.events[name].append)
        answers[name] = lab.streams[name].start()["network"]
    serve(made["servers"], 80, WEB)
    serve(made["tablet"], 8080, TABLET, user="10200")
    return lab


def serve(container, port, address, user=""):
    container.exec_run(["python3", "-c", SERVE, str(port), address], detach=True, user=user)
    deadline = time.monotonic() + BOUND_S
    listening = f":{port:04X} 00000000:0000 0A"
    while listening not in container.exec_run(["cat", "/proc/net/tcp"])[1].decode():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def said(container, *words, user=""):
    code, output = container.exec_run(list(words), user=user)
    assert code == 0, output.decode()
    return output.decode()


def talk(container, address, port=80, source="", times=1, wide=1, user="10123"):
    return said(container, "python3", "-c", TALK, address, str(port), source, str(times), str(wide), user=user).strip()


def until(condition, seconds=BOUND_S):
    """Waits for what the sensor will say; whether it did."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def of(lab, name, **wanted):
    return [event for event in list(lab.events[name]) if all(event.get(key) == value for key, value in wanted.items())]


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
    assert talk(lab.made[source], address, port, own, user="65534") == seen_as


@pytest.mark.parametrize(("source", "port"), [("phone", 5555), ("strangers", 5555), ("phone", 9000)])
def test_the_lab_s_own_doors_are_shut_on_the_overlay(lab, source, port):
    address = TABLET if port == 5555 else WEB
    with pytest.raises(AssertionError, match=r"refused|timed out"):
        talk(lab.made[source], address, port)


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
    assert until(lambda: b"ready" in ear.logs())
    said(lab.made["phone"], "python3", "-c", BULK, user="10123")
    ear.wait(timeout=BOUND_S)
    longest, count = map(int, ear.logs().split()[1:])
    lab.engine.remove(ear)
    assert count > 8
    assert longest == 1514


def test_two_thousand_short_connections_have_their_owner_and_their_bytes(lab):
    talk(lab.made["phone"], WEB, times=2000, wide=10, user="10777")
    assert until(lambda: len(of(lab, "phone", uid=10777, event="close")) == 2000)
    assert len(of(lab, "phone", uid=10777, event="connect")) == 2000
    closes = of(lab, "phone", uid=10777, event="close")
    assert Counter(one["bytes_up"] for one in closes) == Counter(10 + index % 1200 for index in range(2000))
    head = len(PHONE) + 1
    assert [one for one in closes if one["bytes_down"] != head + 10 * one["bytes_up"]] == []


def test_datagrams_have_their_owner_and_their_bytes(lab):
    said(lab.made["phone"], "python3", "-c", ASK, WEB, user="10778")
    assert until(lambda: len(of(lab, "phone", uid=10778, event="close", proto="udp")) == 500)
    closes = of(lab, "phone", uid=10778, event="close")
    assert sorted(one["bytes_up"] for one in closes) == list(range(10, 510))
    assert [one for one in closes if one["bytes_down"] != 3 * one["bytes_up"]] == []
    assert len(of(lab, "phone", uid=10778, event="connect")) == 500


def test_whoever_listens_and_accepts_is_named(lab):
    (heard,) = of(lab, "tablet", event="listen")
    assert (heard["uid"], heard["local"], heard["peer"]) == (10200, ["0.0.0.0", 8080], None)
    talk(lab.made["strangers"], TABLET, 8080, CALLER, user="65534")
    assert until(lambda: [one for one in of(lab, "tablet", event="close") if one["peer"] and one["peer"][0] == CALLER])
    accepted = [one for one in of(lab, "tablet", event="accept", uid=10200) if one["peer"][0] == CALLER]
    closed = [one for one in of(lab, "tablet", event="close", uid=10200) if one["peer"] and one["peer"][0] == CALLER]
    assert [one["local"] for one in accepted] == [[TABLET, 8080]] * len(accepted) != []
    assert (closed[-1]["bytes_up"], closed[-1]["bytes_down"]) == (10, len(CALLER) + 1 + 100)


def test_a_refused_connection_ends_too(lab):
    refused = f"import socket; print(socket.socket().connect_ex(('{WEB}', 81)))"
    assert said(lab.made["phone"], "python3", "-c", refused, user="10779").strip() == "111"
    assert until(lambda: of(lab, "phone", uid=10779, event="close"))
    assert [one["event"] for one in of(lab, "phone", uid=10779)] == ["connect", "close"]


def test_a_lost_connection_to_the_engine_neither_loses_nor_doubles_a_line(lab):
    cutting = threading.Event()

    def cut():
        while not cutting.wait(0.15):
            with contextlib.suppress(Exception):
                lab.streams["phone"]._stream.close()

    cutter = threading.Thread(target=cut)
    cutter.start()
    talk(lab.made["phone"], WEB, times=600, user="10780")
    time.sleep(0.3)
    cutting.set()
    cutter.join()
    assert until(lambda: len(of(lab, "phone", uid=10780, event="close")) == 600)
    numbers = [event["n"] for event in lab.events["phone"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert lab.streams["phone"].faults == []


def test_a_handset_moves_within_a_tenth_of_a_second(lab):
    spec, took, exec_s = lab.specs["tablet"], [], []
    for number in (21, 22, 23):
        back = {"host": spec.host, "gateway_underlay": lab.specs["gateway"].underlay}
        new = addresses.handset(
            underlay=spec.underlay, address=f"10.88.2.{number}", mac=f"02:00:00:00:00:{number}", **back
        )
        begun = time.monotonic()
        said(lab.sensors["tablet"], "true")
        exec_s.append(time.monotonic() - begun)
        begun = time.monotonic()
        readdress(lab.sensors["tablet"], spec, new)
        took.append(time.monotonic() - begun)
        assert talk(lab.made["tablet"], WEB, user="10123") == f"10.88.2.{number}"
        spec = new
    readdress(lab.sensors["tablet"], spec, lab.specs["tablet"])
    assert talk(lab.made["tablet"], WEB) == TABLET
    assert min(took) < 0.1 + 2 * min(exec_s)  # the engine's own time for a command is the machine's affair


def test_setting_up_again_touches_no_interface_that_is_right(lab):
    def state():
        rows = json.loads(said(lab.made["gateway"], "ip", "-j", "link"))
        return [(row["ifname"], row["ifindex"], row["address"]) for row in rows]

    before = state()
    set_up(lab.engine, lab.session, lab.made["gateway"], "gateway", lab.specs["gateway"])
    assert state() == before
    assert talk(lab.made["phone"], WEB) == PHONE


def test_a_gateway_that_was_started_again_serves_within_seconds(lab):
    gateway = lab.made["gateway"]
    gateway.restart(timeout=1)
    with pytest.raises(AssertionError):
        talk(lab.made["phone"], WEB)
    begun = time.monotonic()
    set_up(lab.engine, lab.session, gateway, "gateway", lab.specs["gateway"])
    assert talk(lab.made["phone"], WEB) == PHONE
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


def test_rows_are_what_the_sensor_said(lab):
    rows = socket_rows(lab.events["phone"], "phone-01")
    assert {row["device"] for row in rows} == {"phone-01"}
    assert len(rows) == len([one for one in lab.events["phone"] if one["event"] != "ready"]) > 4000


def test_the_end_of_a_sensor_is_told_apart_from_its_death(lab):
    sensor = lab.sensors["phone"]
    memory = lab.engine.client.api.stats(sensor.id, stream=False)["memory_stats"]["usage"]
    assert memory < 16 << 20
    assert lab.streams["phone"].finish() == []
    assert lab.events["phone"][-1]["event"] == "end"
    lab.sensors["tablet"].kill()
    assert until(lambda: lab.streams["tablet"].faults)
    assert "died" in lab.streams["tablet"].finish()[0]
