"""The sensor of a handset in a real lab: every socket has its owner and its bytes, and it misses nobody."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter

import pytest

from lab.stages.live.topology.sockets import socket_rows

pytestmark = pytest.mark.live

PHONE, TABLET, CALLER, WEB = "10.88.1.10", "10.88.1.11", "198.19.0.9", "198.18.5.5"

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


def test_two_thousand_short_connections_have_their_owner_and_their_bytes(lab):
    lab.talk("phone", WEB, times=2000, wide=10, user="10777")
    assert lab.until(lambda: len(lab.of("phone", uid=10777, event="close")) == 2000)
    assert len(lab.of("phone", uid=10777, event="connect")) == 2000
    closes = lab.of("phone", uid=10777, event="close")
    assert Counter(one["bytes_up"] for one in closes) == Counter(10 + index % 1200 for index in range(2000))
    head = len(PHONE) + 1
    assert [one for one in closes if one["bytes_down"] != head + 10 * one["bytes_up"]] == []


def test_datagrams_have_their_owner_and_their_bytes(lab):
    lab.said(lab.made["phone"], "python3", "-c", ASK, WEB, user="10778")
    assert lab.until(lambda: len(lab.of("phone", uid=10778, event="close", proto="udp")) == 500)
    closes = lab.of("phone", uid=10778, event="close")
    assert sorted(one["bytes_up"] for one in closes) == list(range(10, 510))
    assert [one for one in closes if one["bytes_down"] != 3 * one["bytes_up"]] == []
    assert len(lab.of("phone", uid=10778, event="connect")) == 500


def test_whoever_listens_and_accepts_is_named(lab):
    (heard,) = lab.of("tablet", event="listen")
    assert (heard["uid"], heard["local"], heard["peer"]) == (10200, ["0.0.0.0", 8080], None)
    lab.talk("strangers", TABLET, 8080, CALLER, user="65534")
    assert lab.until(
        lambda: [one for one in lab.of("tablet", event="close") if one["peer"] and one["peer"][0] == CALLER]
    )
    accepted = [one for one in lab.of("tablet", event="accept", uid=10200) if one["peer"][0] == CALLER]
    closed = [one for one in lab.of("tablet", event="close", uid=10200) if one["peer"] and one["peer"][0] == CALLER]
    assert [one["local"] for one in accepted] == [[TABLET, 8080]] * len(accepted) != []
    assert (closed[-1]["bytes_up"], closed[-1]["bytes_down"]) == (10, len(CALLER) + 1 + 100)


def test_a_refused_connection_ends_too(lab):
    refused = f"import socket; print(socket.socket().connect_ex(('{WEB}', 81)))"
    assert lab.said(lab.made["phone"], "python3", "-c", refused, user="10779").strip() == "111"
    assert lab.until(lambda: lab.of("phone", uid=10779, event="close"))
    assert [one["event"] for one in lab.of("phone", uid=10779)] == ["connect", "close"]


def test_a_lost_connection_to_the_engine_neither_loses_nor_doubles_a_line(lab):
    cutting = threading.Event()

    def cut():
        while not cutting.wait(0.15):
            with contextlib.suppress(Exception):
                lab.streams["phone"]._stream.close()

    cutter = threading.Thread(target=cut)
    cutter.start()
    lab.talk("phone", WEB, times=600, user="10780")
    time.sleep(0.3)
    cutting.set()
    cutter.join()
    assert lab.until(lambda: len(lab.of("phone", uid=10780, event="close")) == 600)
    numbers = [event["n"] for event in lab.events["phone"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert lab.streams["phone"].faults == []


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
    assert lab.until(lambda: lab.streams["tablet"].faults)
    assert "died" in lab.streams["tablet"].finish()[0]
