"""A blocking call awaited from the loop, in a daemon thread of its own: one that hangs holds up nobody's end.

``asyncio.to_thread`` has a pool of few workers, which a loop, and then the interpreter, waits for when it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
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
