"""The wire stage without the cyclic collector: why it may, and that it gives it back."""

from __future__ import annotations

import gc

import pytest

from lab.behaviours import Speech
from lab.stages.wire import play


@pytest.mark.parametrize("real_tls", [False, True])
def test_playing_makes_no_cyclic_garbage_however_much_is_said(timeline_of, talk, tmp_path, real_tls):
    """The stage may do without the collector only as long as this holds; the control is a cycle per conversation."""

    def garbage(count: int) -> int:
        talks = [talk([(0, 100, 3_000, 0)], start=i, speech=Speech("http", tls=True)) for i in range(count)]
        timeline = timeline_of(talks)
        gc.collect()
        play(timeline, tmp_path / "rec", replace=True, real_tls=real_tls)
        return gc.collect()

    enabled = gc.isenabled()
    gc.disable()
    try:
        garbage(1)  # what is made once: imports, caches
        assert abs(garbage(40) - garbage(10)) < 30
        cycles = [[] for _ in range(40)]
        for cycle in cycles:
            cycle.append(cycle)
        del cycle, cycles
        assert gc.collect() >= 30
    finally:
        if enabled:
            gc.enable()


def test_the_collector_is_given_back(tiny, tmp_path):
    assert gc.isenabled()
    play(tiny, tmp_path / "rec")
    assert gc.isenabled()
    with pytest.raises(FileExistsError):
        play(tiny, tmp_path / "rec")
    assert gc.isenabled()
