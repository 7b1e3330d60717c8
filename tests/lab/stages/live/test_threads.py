"""A blocking call aside: its result, its fault, and an end that does not wait for one that hangs."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from lab.stages.live.threads import in_thread


def test_what_is_returned_and_raised_comes_back() -> None:
    async def run() -> int:
        with pytest.raises(ZeroDivisionError):
            await in_thread(divmod, 1, 0)
        return await in_thread(max, 3, 7)

    assert asyncio.run(run()) == 7


def test_many_at_once_do_not_wait_for_each_other() -> None:
    meeting = threading.Barrier(40)  # more than any pool has workers here

    async def run() -> None:
        async with asyncio.timeout(5):
            await asyncio.gather(*(in_thread(meeting.wait) for _ in range(40)))

    asyncio.run(run())
    assert not meeting.broken


def test_one_that_hangs_does_not_keep_the_loop_from_ending() -> None:
    hanging, over = threading.Event(), threading.Event()

    def hang() -> None:
        hanging.wait(5)
        over.set()

    async def run() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await in_thread(hang)

    begun = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - begun < 2
    assert not over.is_set()
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "aside hang")
    hanging.set()
    assert over.wait(5), "and what becomes of it afterwards is nobody's fault"
