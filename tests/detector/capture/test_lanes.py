"""Work shared between threads: the same results with one and with two, faults passed on, nothing left changed."""

import sys
import threading

import numpy as np
import pytest

from detector.capture.lanes import SWITCH_S, Lanes


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_come_in_the_order_of_the_parts(threads):
    parts = list(range(200))
    assert Lanes(threads).over(lambda part: part * part, parts) == [part * part for part in parts]
    assert Lanes(threads).over(lambda part: part, []) == []


def test_two_lanes_work_at_the_same_time():
    meeting = threading.Barrier(2, timeout=10)  # one thread alone would never get past it
    assert sorted(Lanes(2).over(lambda part: (meeting.wait(), part)[1], ["a", "b"])) == ["a", "b"]


def test_after_is_called_by_the_caller_only():
    callers = []
    Lanes(2).over(lambda part: part, list(range(50)), lambda _part: callers.append(threading.current_thread()))
    assert set(callers) <= {threading.current_thread()}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("bad", [0, 7, 19])
def test_a_fault_in_any_part_is_raised(threads, bad):
    def work(part):
        if part == bad:
            raise ValueError(f"part {part}")

    with pytest.raises(ValueError, match=f"part {bad}"):
        Lanes(threads).over(work, list(range(20)))


@pytest.mark.parametrize("threads", [1, 2])
def test_aside_gives_or_raises_what_its_work_does(threads):
    lanes = Lanes(threads)
    assert lanes.aside(lambda: 5).result() == 5
    with pytest.raises(KeyError):
        lanes.aside(lambda: {}["absent"]).result()


def test_threads_take_turns_as_before_afterwards():
    usual = sys.getswitchinterval()
    with Lanes(1).quick():
        assert sys.getswitchinterval() == usual
    with Lanes(2).quick():
        assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
    assert sys.getswitchinterval() == usual
    with pytest.raises(ZeroDivisionError), Lanes(2).quick():
        1 / 0  # noqa: B018  # raises
    assert sys.getswitchinterval() == usual


def test_one_lane_starts_no_thread(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", lambda _self: pytest.fail("a thread was started"))
    lanes = Lanes(1)
    assert lanes.over(lambda part: part, [1, 2]) == [1, 2]
    assert lanes.aside(lambda: 1).result() == 1


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_the_tables_are_the_same_with_any_number_of_threads(wire, form, monkeypatch):
    from detector.capture import packets, pairs, read_capture

    monkeypatch.setattr(packets, "CHUNK", 7)  # many parts, most of which lose a packet
    monkeypatch.setattr(pairs, "CHUNK", 5)
    rng = np.random.default_rng(3)
    talk = wire.talk()
    ends = bytes(15) + b"\1", bytes(15) + b"\2"
    sixth = wire.ether(wire.ipv6(*ends, 17, wire.udp_datagram(40_000, 9_000, b"hello")), 0x86DD)
    noise = wire.ether(bytes(30), 0x0806)
    kinds = [*talk, type(talk[0])(0, noise), type(talk[0])(5, sixth)]
    many = [kinds[place] for place in rng.integers(0, len(kinds), 300)]
    path = wire.write(getattr(wire, form)(many))
    one, two = read_capture(path, threads=1), read_capture(path, threads=2)
    assert one.stats == two.stats
    assert one.stats.non_ip > 10
    for name in ("flows", "exchanges", "dns"):
        assert getattr(one, name).equals(getattr(two, name))
    assert one.flows.num_rows >= 2
    assert any(":" in row for row in one.flows["client"].to_pylist())
