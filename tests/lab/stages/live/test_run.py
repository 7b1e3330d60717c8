"""A run's name; how it goes, and what is kept whatever fails, is in the folder run, against stand-ins for a lab."""

from __future__ import annotations

from lab.stages.live.run import run_name


def test_no_two_runs_have_one_name() -> None:
    assert len({run_name() for _ in range(9)}) == 9
