"""Whose socket is whose: turns, reports in any order, and what nobody planned."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from lab.stages.live.ports import NAMED, Ports, Seen, kind_of, told_of


@pytest.fixture
def two(script_of_scenario):
    """Two conversations that look alike to the kernel."""
    first = next(script for script in script_of_scenario("live-http")[1] if script.protocol == "http")
    return first, dataclasses.replace(first, n=first.n + 1)


def seen(port: int) -> Seen:
    return Seen(("10.88.0.9", port), port)


def test_alike_openings_take_turns(two) -> None:
    async def run() -> list[tuple[int, int]]:
        ports, told = Ports(), []

        async def opened(script) -> None:
            async with ports.opening(script) as report:
                await asyncio.sleep(0)
                told.append((script.n, (await report).client[1]))

        async with asyncio.TaskGroup() as tasks:
            for script in two:
                tasks.create_task(opened(script))
            for port in (1001, 1002):
                for _ in range(5):
                    await asyncio.sleep(0)
                ports.saw(kind_of(two[0]), seen(port))
        assert not ports.unplanned
        return told

    assert asyncio.run(run()) == [(two[0].n, 1001), (two[1].n, 1002)]


def test_a_dial_is_matched_in_the_order_planned_and_openings_come_first(two) -> None:
    async def run() -> None:
        ports = Ports()
        dialled = [ports.dialling(script) for script in two]
        async with ports.opening(two[0]) as report:
            for port in (1, 2, 3):
                ports.saw(kind_of(two[0]), seen(port))
            assert (await report).client[1] == 1
        assert [(await one).client[1] for one in dialled] == [2, 3]

    asyncio.run(run())


def test_what_nobody_awaits_is_kept(two) -> None:
    async def run() -> Ports:
        ports = Ports()
        gone = ports.dialling(two[0])
        gone.cancel()
        ports.saw(kind_of(two[0]), seen(5))
        return ports

    assert asyncio.run(run()).unplanned == [(kind_of(two[0]), seen(5))]


def test_what_nobody_planned_is_counted_and_the_first_are_named() -> None:
    kind = (0, 10_101, "tcp", "198.18.0.1", 80)
    told = told_of([(kind, seen(port)) for port in range(7)])
    assert told["n"] == 7
    assert len(told["first"]) == NAMED == 5
    assert told["first"][3] == "device 0 uid 10101: tcp 10.88.0.9:3 to 198.18.0.1:80"
    assert told_of([]) == {"n": 0, "first": []}
