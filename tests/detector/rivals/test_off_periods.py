"""OFF periods by hand, and held against a plain loop. Zhang and Paxson publish traces, no vectors."""

import numpy as np
import pytest

from detector.rivals.off_periods import LONG_US, WINDOW_US, off_ends, pairings

APP = {"uid": 10_007, "package": "com.example.torch"}


def paired(made):
    telemetry = made.telemetry()
    ends, _ = off_ends(telemetry["flows"], telemetry["exchanges"])
    return pairings(ends, 0), ends


def bridge(made, times, delay_s):
    """A tunnel that speaks at those times, and a flow of its own for each, so much later."""
    tunnel = made.flow(0, lasts_s=1700, server="198.18.9.9", **APP)
    for time in times:
        made.exchange(tunnel, time, up=0, down=300, delay_s=0.01)
        made.exchange(made.flow(time + delay_s, **APP), time + delay_s, 300, 900)


@pytest.mark.parametrize(("delay_s", "share"), [(0.02, 1), (-0.05, 1), (0.079, 1), (0.081, 0), (0.3, 0)])
def test_silences_end_together_within_80_ms(made, delay_s, share):
    bridge(made, 10.0 * np.arange(1, 101), delay_s)
    found, _ = paired(made)
    assert (found.own.tolist(), found.others.tolist()) == ([101], [100])
    assert found.together[0] == 100 * share
    assert (found.share[0], found.score[0]) == (share, share)


def test_coincidences_far_apart_are_not_in_a_row(made):
    tunnel = made.flow(0, lasts_s=1700, **APP)
    for k in range(1, 101):
        made.exchange(tunnel, 10.0 * k, up=0, down=300)
        if k % 2:
            made.flow(10.0 * k + 0.01, **APP)
    found, _ = paired(made)
    assert (found.together[0], found.in_a_row[0]) == (50, 1)
    assert found.share[0] == 1
    assert found.score[0] < 0.3


def test_half_a_second_is_a_silence_and_a_late_answer_ends_one(made):
    flow = made.flow(0, lasts_s=600, **APP)
    made.exchange(flow, 0.3, 10, 10, delay_s=0.1)  # 0.3 s after the beginning: no silence
    made.exchange(flow, 0.8, 10, 10, delay_s=0.1)  # 0.4 s after the answer: none
    made.exchange(flow, 5.0, 10, 10, delay_s=3.0)  # one, and the answer ends another
    _, ends = paired(made)
    assert sorted(ends.time.tolist()) == [0, 5_000_000, 8_000_000]


def test_an_anchor_is_a_long_flow_or_what_one_client_opened(made):
    made.flow(0, lasts_s=LONG_US / 1e6 + 1, **APP)
    made.flow(0, lasts_s=LONG_US / 1e6 - 1, **APP)
    for client in ("10.88.0.7", "10.88.0.7", "10.88.0.8"):
        made.flow(1, inbound=True, client=client, server="10.88.0.2", **APP)
    made.rows["exchanges"] = []
    _, ends = paired(made)
    anchors = ends.anchor[np.argsort(ends.time, kind="stable")]
    assert len(set(anchors[anchors >= 0].tolist())) == 3
    assert (anchors < 0).sum() == 1


def test_apps_are_not_paired_with_each_other(made):
    tunnel = made.flow(0, lasts_s=1700, **APP)
    for time in 10.0 * np.arange(1, 50):
        made.exchange(tunnel, time, up=0, down=300)
        made.flow(time, uid=10_008, package="com.example.other")
    found, _ = paired(made)
    assert (found.together.tolist(), found.others.tolist()) == ([0], [0])


def test_it_is_what_a_plain_loop_counts(made, rng):
    own, others = np.sort(rng.uniform(1, 7100, 400)), np.sort(rng.uniform(1, 7100, 900))
    own = own[np.append(True, np.diff(own) > 1)]
    tunnel = made.flow(0, lasts_s=7190, **APP)
    for time in own:
        made.exchange(tunnel, time, up=0, down=300, delay_s=0.001)
    for time in others:
        made.flow(time, **APP)
    found, _ = paired(made)
    times = np.append(0, (own * 1e6).astype(np.int64))
    near = np.array([np.abs((others * 1e6).astype(np.int64) - time).min() <= 80_000 for time in times])
    window = times // WINDOW_US
    assert found.own.tolist() == np.bincount(window).tolist()
    assert found.together.tolist() == np.bincount(window, near).tolist()
    assert found.others.tolist() == np.bincount((others * 1e6).astype(np.int64) // WINDOW_US).tolist()
    runs = [bool((near[1:] & near[:-1] & (window[1:] == k) & (window[:-1] == k)).any()) for k in range(4)]
    assert (found.in_a_row == 2).tolist() == runs
