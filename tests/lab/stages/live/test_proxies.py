"""Proxies on phones: started before the first stranger, ended after the last, faults kept."""

from __future__ import annotations

import asyncio
import time

import pytest

from lab.stages.live.casting import Relay
from lab.stages.live.pace import Tempo
from lab.stages.live.proxies import Proxies


class Phone:
    def __init__(self, *, refuses=False) -> None:
        self.said, self.refuses = [], refuses

    def shell(self, words) -> str:
        self.said.append((words, time.time()))
        if self.refuses:
            raise RuntimeError("port is taken")
        return ""


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr("lab.stages.live.proxies.LATE_US", 10_000)
    monkeypatch.setattr("lab.stages.live.proxies.EARLY_US", 0)


def run(phone, **relay):
    values = {"device": 0, "uid": 10101, "kind": "socks5", "port": 1080, "time": 0, "until": 100_000, **relay}
    proxies = Proxies({0: phone}, [Relay(**values)], Tempo(time.time_ns() // 1000, 0, 10.0))
    begun = time.time()
    asyncio.run(proxies.run())
    return proxies, [(words, at - begun) for words, at in phone.said]


def test_it_runs_for_its_time() -> None:
    proxies, said = run(Phone())
    assert [words for words, _ in said] == ["relay start socks5 10101 1080 0.0.0.0", "relay stop 1080"]
    assert said[1][1] >= 0.01
    assert proxies.faults == []


def test_it_outlives_its_last_stranger() -> None:
    assert run(Phone(), last_us=200_000)[1][1][1] >= 0.2


def test_one_that_does_not_start_is_a_fault_and_is_not_ended() -> None:
    proxies, said = run(Phone(refuses=True))
    assert len(said) == 1
    assert proxies.faults == ["proxy of uid 10101 on port 1080: port is taken"]
