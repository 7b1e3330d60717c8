"""A blocking call aside: its result, its fault, and an end that does not wait for one that hangs."""

from __future__ import annotations

import asyncio
import functools
import threading
import time

import pytest

from lab.stages.live.threads import in_thread, side_by_side


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


def test_side_by_side_each_has_its_result_and_no_more_run_than_may() -> None:
    running, most, lock = [], [], threading.Lock()

    def work(number: int) -> int:
        with lock:
            running.append(number)
            most.append(len(running))
        time.sleep(0.01)
        with lock:
            running.remove(number)
        return number * number

    calls = {str(number): functools.partial(work, number) for number in range(12)}
    assert side_by_side(calls, at_once=3, within_s=5) == {str(number): number**2 for number in range(12)}
    assert max(most) == 3
    assert side_by_side({}, at_once=3, within_s=5) == {}


def test_side_by_side_raises_what_a_call_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side({"fine": lambda: 1, "wrong": lambda: 1 // 0}, at_once=2, within_s=5)

    def slow() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        side_by_side({"slow": slow}, at_once=1, within_s=5)


def test_side_by_side_names_those_that_hang_and_waits_no_longer() -> None:
    hanging = threading.Event()
    calls = {"fine": lambda: True, "one": lambda: hanging.wait(5), "two": lambda: hanging.wait(5)}
    begun = time.monotonic()
    with pytest.raises(TimeoutError, match=r"^one, two$"):
        side_by_side(calls, at_once=3, within_s=0.1)
    assert time.monotonic() - begun < 2
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("side by side"))
    hanging.set()


@pytest.mark.parametrize("at_once", [1, 2])
def test_side_by_side_a_fault_is_not_hidden_by_one_that_hangs(at_once: int) -> None:
    hanging = threading.Event()

    def bad() -> None:
        raise ValueError("a reason")

    calls = {"slow": lambda: hanging.wait(20), "bad": bad}
    begun = time.monotonic()
    with (
        pytest.raises(ValueError, match="a reason") if at_once == 2 else pytest.raises(TimeoutError, match="slow, bad")
    ):
        side_by_side(calls, at_once=at_once, within_s=15 if at_once == 2 else 0.1)
    assert time.monotonic() - begun < 5
    hanging.set()
