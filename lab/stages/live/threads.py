"""Blocking calls in daemon threads of their own, awaited from a loop or side by side: one that hangs holds up no end.

``asyncio.to_thread`` has a pool of few workers, which a loop, and then the interpreter, waits for when it ends; so has
``ThreadPoolExecutor``, for whose workers the interpreter waits even where nobody else does any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")


async def in_thread(call: Callable[..., Result], *words: Any) -> Result:
    """What ``call`` returns or raises. Cancelled, the call is left to itself, and what becomes of it is dropped."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def settle(put: Callable[[Any], None], value: object) -> None:
        if not done.done():
            put(value)

    def work() -> None:
        try:
            told = partial(settle, done.set_result, call(*words))
        except Exception as fault:  # noqa: BLE001 - it is raised where the call is awaited
            told = partial(settle, done.set_exception, fault)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(told)

    threading.Thread(target=work, name=f"aside {getattr(call, '__name__', call)}", daemon=True).start()
    return await done


def side_by_side(calls: Mapping[str, Callable[[], Result]], *, at_once: int, within_s: float) -> dict[str, Result]:
    """What each call returns, by its name, so many at a time. A call's fault is raised as soon as there is one.

    TimeoutError has the names of those that did not return in time; they are left to themselves.
    """
    told: dict[str, Future[Result]] = {name: Future() for name in calls}
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for name in calls:
        waiting.put(name)

    def work() -> None:
        while not waiting.empty():
            with contextlib.suppress(queue.Empty):
                _settle(told[name := waiting.get_nowait()], calls[name])

    for number in range(min(at_once, len(calls))):
        threading.Thread(target=work, name=f"side by side {number}", daemon=True).start()
    over = wait(told.values(), within_s, FIRST_EXCEPTION)
    faulty = next((one for one in told.values() if one in over.done and one.exception()), None)
    if faulty is not None:  # before those that are late: it may be why they are
        faulty.result()
    if over.not_done:
        raise TimeoutError(", ".join(name for name, one in told.items() if one in over.not_done))
    return {name: one.result() for name, one in told.items()}


def _settle(told: Future[Result], call: Callable[[], Result]) -> None:
    try:
        told.set_result(call())
    except Exception as fault:  # noqa: BLE001 - it is raised where the result is asked for
        told.set_exception(fault)
