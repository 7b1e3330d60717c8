"""Parts of a run at once: one that fails ends the others, and every fault says what it is."""

from __future__ import annotations

import asyncio

import pytest

from lab.errors import StageError
from lab.stages.live.together import leaves, said, together


def test_one_that_fails_ends_the_others_and_is_told() -> None:
    ended = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    async def fails() -> None:
        raise StageError("lost")

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(together(waits(), fails()))
    assert ended == ["waits"]
    assert [said(fault) for fault in leaves(caught.value)] == ["lost"]


def test_what_nobody_has_foreseen_names_its_kind() -> None:
    group = ExceptionGroup("", [ExceptionGroup("", [KeyError("n")]), OSError("gone")])
    assert [said(fault) for fault in leaves(group)] == ["KeyError: 'n'", "gone"]
