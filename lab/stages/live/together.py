"""Several parts of a run at once, and what their faults say for themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from lab.errors import StageError


async def together(*parts: Coroutine[Any, Any, object]) -> None:
    """All of them; where one fails the others end, and it is in the group that is raised."""
    async with asyncio.TaskGroup() as tasks:
        for part in parts:
            tasks.create_task(part)


def said(fault: BaseException) -> str:
    """What a fault says for itself; of what nobody has foreseen, its kind as well."""
    return str(fault) if isinstance(fault, StageError | OSError) else f"{type(fault).__name__}: {fault}"


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """The faults of a group and of the groups in it."""
    found: list[BaseException] = []
    for fault in group.exceptions:
        found += leaves(fault) if isinstance(fault, BaseExceptionGroup) else [fault]
    return found
