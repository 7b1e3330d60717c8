"""Real time and scenario time: what is paced where, and that the way back is exact, monotone and complete."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.stages.live.pace import AWAITED_US, EARLY_US, GAP_US, RAMP_US, REST_US, courses, held_back, span_real, thinks
from lab.stages.live.script import Script

START = 1_772_409_600_000_000
RTT = 30_000


def script(messages, *, n=0, start=0, close=None, via=None, inbound=False, transport="tcp", tls=False, rtt=RTT):
    """A script of messages (begin after START, lasts, from_client, pushed)."""
    rows = np.array([row[:2] for row in messages], dtype=np.int64).reshape(-1, 2)
    begin = START + rows[:, 0]
    end = begin + rows[:, 1]
    closed = close if close is not None else max([start, *(row[0] + row[1] for row in messages)])
    client = np.array([bool(row[2]) for row in messages], dtype=np.bool_)
    pushed = np.array([bool(row[3]) for row in messages], dtype=np.bool_)
    think = np.zeros(len(rows), dtype=np.int64)
    for k in np.flatnonzero(~client & ~pushed):
        asked = np.flatnonzero(client[:k])
        think[k] = max(0, begin[k] - end[asked[-1]] - rtt) if len(asked) else 0
    return Script(
        n=n,
        device=0,
        uid=10_100,
        protocol="http",
        transport=transport,
        tls=tls,
        stack=0,
        alpn="",
        name="api.garden.example",
        server=("198.18.7.9", 443),
        client="10.88.3.4",
        inbound=inbound,
        via=via,
        rtt_us=rtt,
        start=START + start,
        close=START + closed,
        from_client=client,
        pushed=pushed,
        size=np.full(len(rows), 100, dtype=np.int64),
        offset=np.arange(len(rows), dtype=np.int64) * 100,
        begin=begin,
        end=end,
        think=think,
    )


ASK, ANSWER, PUSH = (1, 0), (0, 0), (0, 1)
MINUTE = 60_000_000


def polling(**about):
    """Ten questions, one a minute, each answered 50 ms after the server has heard it."""
    said = []
    for k in range(10):
        at = 31_000 + k * MINUTE
        said += [(at, 100, *ASK), (at + 100 + RTT + 50_000, 2_000, *ANSWER)]
    return script(said, close=9 * MINUTE + 400_000, **about)


@st.composite
def scripts(draw):
    """One to three conversations, the later of which may be dialled by the first."""
    made = []
    for n in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, 3_600_000_000))
        rtt = draw(st.integers(200, 900_000))
        time, said = start + rtt, []
        steps = st.one_of(st.integers(0, 400_000), st.integers(0, 90_000_000))
        for step, lasts, (client, pushed) in draw(
            st.lists(st.tuples(steps, st.integers(0, 5_000), st.sampled_from([ASK, ANSWER, PUSH])), max_size=8)
        ):
            time += step
            said.append((time, lasts, client, pushed))
            time += lasts
        via = 0 if n and draw(st.booleans()) else None
        close = time + draw(st.integers(0, 90_000_000))
        made.append(script(said, n=n, start=start, close=close, via=via, tls=draw(st.booleans()), rtt=rtt))
    return made


SPEEDS = st.one_of(st.sampled_from([1, 1.000001, 60, 120]), st.floats(1, 1e6))


@given(made=scripts(), speed=SPEEDS, data=st.data())
def test_the_way_back_is_exact_and_monotone_and_can_be_undone(made, speed, data):
    for n, course in courses(made, START, speed).items():
        assert np.array_equal(course.scenario_time(course.real), course.scenario)
        mine = next(one for one in made if one.n == n)
        assert np.array_equal(course.scenario_time(course.message_real), mine.begin)
        opened = np.array([course.open_real, course.close_real])
        assert course.scenario_time(opened).tolist() == [mine.start, mine.close]
        near = np.unique((course.real[:, None] + np.array([-RAMP_US, -EARLY_US, -1, 0, 1, REST_US])).ravel())
        real = np.union1d(near, data.draw(st.lists(st.integers(-10_000_000, 10_000_000_000), max_size=9))).astype(int)
        mapped = course.scenario_time(real)
        assert (np.diff(mapped) >= np.diff(real)).all(), "never slower than real time, hence strictly monotone"
        assert np.array_equal(course.real_time(mapped), real)


@given(made=scripts(), speed=SPEEDS)
def test_bursts_keep_their_order_their_time_and_a_rest(made, speed):
    for course in courses(made, START, speed).values():
        steps = np.diff(course.real)
        assert (steps >= np.minimum(course.lasts[:-1] + REST_US, np.diff(course.scenario))).all()
        assert (steps >= REST_US).all()
        assert (np.diff(course.scenario) > GAP_US).all()
        assert (course.real - np.floor((course.scenario - START) / speed) >= -1).all(), "never before its time"


@given(made=scripts())
def test_speed_one_is_an_offset(made):
    for course in courses(made, START, 1).values():
        assert np.array_equal(course.real, course.scenario - START)
        real = np.arange(-5, 4_000_000_000, 99_999_989)
        assert np.array_equal(course.scenario_time(real), START + real)


def test_gaps_are_divided_and_what_is_in_a_burst_stays():
    course = courses([polling()], START, 60)[0]
    assert course.real[1:10].tolist() == [k * 1_000_000 + 31_000 // 60 for k in range(1, 10)]
    assert course.close_real == course.real[9] + course.lasts[9] + REST_US, "too soon after the last answer"
    assert course.lasts[9] == 100 + RTT + 50_000 + 2_000
    assert (course.message_real[1::2] - course.message_real[::2]).tolist() == [100 + RTT + 50_000] * 10
    assert span_real({0: course}) == course.real[-1] + course.lasts[-1]


def test_a_delay_in_a_burst_is_the_same_delay_in_scenario_time():
    course = courses([polling()], START, 60)[0]
    for late in (0, 1, -EARLY_US, 20_000, 400_000, 900_000):
        assert (course.scenario_time(course.real[1:9] + late) - course.scenario[1:9] == late).all()


def test_an_overrun_passes_the_next_burst_without_changing_places():
    course = courses([polling()], START, 60)[0]
    late = course.scenario_time(course.real[2:3] + np.array([980_000, 990_000, 999_999, 1_000_000, 1_200_000]))
    assert (np.diff(late) > 0).all()
    assert late[-2] == course.scenario[3], "a second late is as late as the next burst"
    assert late[-1] == course.scenario[3] + 200_000
    assert course.scenario[2] < late[0] < course.scenario[3]


@pytest.mark.parametrize(
    ("step", "kind", "same"),
    [
        (GAP_US + RTT, ASK, True),
        (GAP_US + RTT + 1, ASK, False),
        (GAP_US + RTT + 1, PUSH, False),
        (AWAITED_US + RTT, ANSWER, True),
        (AWAITED_US + RTT + 1, ANSWER, False),
    ],
)
def test_what_may_be_a_reaction_is_of_the_burst(step, kind, same):
    course = courses([script([(31_000, 0, *ASK), (31_000 + step, 0, *kind)])], START, 1000)[0]
    assert (course.message_burst[0] == course.message_burst[1]) is np.bool_(same)
    assert (course.message_real[1] - course.message_real[0] == step) is np.bool_(same)


def test_a_handshake_is_of_the_burst_that_opens():
    far = 700_000  # us: a satellite; the first message comes a round trip after the SYN
    course = courses([script([(far, 0, *ASK)], rtt=far)], START, 60)[0]
    assert len(course.real) == 1
    apart = courses([script([(3 * far, 0, *ASK)], rtt=far, transport="udp")], START, 60)[0]
    assert len(apart.real) == 2
    plain, tls = (courses([polling(tls=tls)], START, 1e6)[0] for tls in (False, True))
    assert tls.real[1] - plain.real[1] == 2 * RTT, "the TLS handshake has its time before the next burst"


def test_a_pair_shares_its_course_and_others_do_not():
    asked = script([(40_000, 0, *ASK), (5 * MINUTE, 0, *PUSH)], n=3, inbound=True)
    relayed = script([(90_000, 0, *ASK), (5 * MINUTE - 40_000, 0, *PUSH)], n=5, start=50_000, via=3)
    stranger = script([(90_000, 0, *ASK), (5 * MINUTE - 40_000, 0, *PUSH)], n=6, start=50_000)
    orphan = script([(90_000, 0, *ASK)], n=7, start=50_000, via=99)
    made = courses([asked, relayed, stranger, orphan], START, 60)
    assert made[3].real.tolist() == made[5].real.tolist() != made[6].real.tolist()
    assert made[3].message_real[1] - made[5].message_real[1] == 40_000, "what is relayed keeps its delay"
    assert sorted(made) == [3, 5, 6, 7]


def test_thinking_stays_in_a_burst_and_shrinks_across():
    waits = 50 * 1_000_000
    said = [
        (31_000, 100, *ASK),
        (31_100 + RTT + 70_000, 0, *ANSWER),
        (MINUTE, 100, *ASK),
        (MINUTE + 100 + RTT + waits, 0, *ANSWER),
        (MINUTE + 200 + RTT + waits, 0, *PUSH),
    ]
    asked = script(said)
    slow, fast = courses([asked], START, 1)[0], courses([asked], START, 60)[0]
    assert thinks(asked, slow).tolist() == [0, 70_000, 0, waits, 0]
    short = thinks(asked, fast).tolist()
    assert short[:3] == [0, 70_000, 0]
    assert short[3] == fast.message_real[3] - fast.message_real[2] - 100 - RTT
    assert abs(short[3] - waits / 60) < RTT + 1_000


def test_what_does_not_fit_is_said():
    chatty = script([(31_000 + k * 300_000, 10_000, *ASK) for k in range(1_000)])
    made = courses([chatty], START, 1_000)
    assert held_back(made, START, 1_000)[0] > 50_000_000
    assert span_real(made) > 1_000 * REST_US
    assert held_back(courses([polling()], START, 1), START, 1) == {}
    assert held_back(courses([chatty], START, 1), START, 1) == {}


def test_no_script_no_course_and_no_time():
    assert courses([], START, 60) == {}
    assert span_real({}) == 0


@pytest.mark.parametrize("speed", [0, -1, 0.5, float("nan")])
def test_time_is_never_stretched(speed):
    with pytest.raises(ValueError, match="expected 1 or more"):
        courses([polling()], START, speed)


def test_nothing_begins_before_the_run():
    with pytest.raises(ValueError, match="before the run's start"):
        courses([polling()], START + 1, 60)
