"""Real time counts from the epoch told; nothing scheduled happens before the start."""

from __future__ import annotations

import asyncio
import time

from lab.stages.live.servers.image.clock import Clock, until


def test_waits_for_the_start_then_for_the_time():
    async def run():
        clock, loop = Clock(), asyncio.get_running_loop()
        waiting = asyncio.create_task(clock.at(30_000))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        assert clock.real_us() == 0
        begun = loop.time()
        clock.start(int(time.time() * 1e6) + 10_000)
        await waiting
        return loop.time() - begun, clock.real_us()

    waited, real_us = asyncio.run(run())
    assert 0.035 < waited < 1
    assert 30_000 <= real_us < 1_000_000


def test_the_past_is_at_once():
    async def run():
        clock = Clock()
        clock.start(int(time.time() * 1e6) - 5_000_000)
        async with asyncio.timeout(1):
            await clock.at(1_000_000)
            await until(asyncio.get_running_loop().time() - 9)
        return clock.real_us()

    assert asyncio.run(run()) >= 5_000_000
