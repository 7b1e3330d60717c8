"""A lab's network with real containers, for the tests of this folder: two handsets, and whom they talk to."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from lab.stages.live.topology import addresses
from lab.stages.live.topology.namespaces import set_up, start_sensor
from lab.stages.live.topology.sensor_stream import SensorStream

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


class Lab(SimpleNamespace):
    """The containers that were made, what is said in them, and what their sensors say."""

    @staticmethod
    def said(container, *words, user=""):
        code, output = container.exec_run(list(words), user=user)
        assert code == 0, output.decode()
        return output.decode()

    def talk(self, name, address, port=80, source="", times=1, wide=1, user="10123"):
        return self.said(
            self.made[name], "python3", "-c", TALK, address, str(port), source, str(times), str(wide), user=user
        ).strip()

    @staticmethod
    def until(condition, seconds=BOUND_S):
        """Waits for what the sensor will say; whether it did."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def of(self, name, **wanted):
        return [
            event for event in list(self.events[name]) if all(event.get(key) == value for key, value in wanted.items())
        ]


@pytest.fixture(scope="module")
def lab(ground):
    return bring_up(ground)


def bring_up(ground):
    engine, session, subnet = ground.engine, ground.session, ground.subnet
    at = {"gateway": str(subnet[2]), "servers": str(subnet[3]), "strangers": str(subnet[4])}
    at |= {"phone": str(subnet[5]), "tablet": str(subnet[6])}
    made = {
        name: ground.started(role, name, at[name])
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
    lab = Lab(engine=engine, session=session, made=made, specs=specs, answers=answers, sensors=sensors)
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
