"""Names made by an algorithm: alike on all phones, one candidate of a turn exists, those before it are sought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from lab.behaviours import SECOND, Window
from lab.habits.draft import Draft
from lab.habits.rotation import DAY, in_turn, label, registered

NEVER = np.zeros((0, 2), dtype=np.int64)


@dataclass(frozen=True)
class App:
    names: str = "letters"
    candidates: int = 12


def window(today=20_514, secret=7, midnight=-DAY // 2):
    return Window(4 * DAY, NEVER, NEVER, NEVER, NEVER, NEVER, midnight=midnight, today=today, built_in=secret)


def turned(times, where, turn="day", app=App(), seed=1):
    draft = Draft(where.span)
    place, hosts = in_turn(np.random.default_rng(seed), draft, app, times, where, turn=turn, reach="vendor")
    draft.calls(*hosts[place].T, times, up=400, down=300, delay=1_000)
    return draft.batch()


def names(batch, *, void):
    return [batch.peers[peer].made for peer in batch.peer[batch.void == void].tolist()]


TIMES = np.arange(1, 300, dtype=np.int64) * DAY // 100


def test_two_phones_look_for_the_same_names_on_the_same_dates():
    one, other = turned(TIMES, window()), turned(TIMES + 777 * SECOND, window(), seed=2)
    assert set(names(one, void=False)) == set(names(other, void=False))
    assert names(one, void=True) == names(other, void=True)
    assert len(set(names(one, void=False))) == 4  # from noon on: four dates


def test_a_phone_that_begins_a_day_later_has_the_names_of_its_dates():
    late = turned(TIMES[TIMES < DAY], window(today=20_515))
    assert set(names(late, void=False)) <= set(names(turned(TIMES, window()), void=False))


def test_another_secret_makes_other_names():
    assert not set(names(turned(TIMES, window()), void=False)) & set(names(turned(TIMES, window(secret=8)), void=False))


@pytest.mark.parametrize("turn", ["day", "contact"])
def test_what_is_asked_in_vain_stands_before_the_candidate_that_exists(turn):
    made, where = turned(TIMES, window(), turn), window()
    dates = where.today + (TIMES - where.midnight) // DAY
    keys = dict.fromkeys(
        str(date) if turn == "day" else f"{date}/{nth}"
        for date in np.unique(dates).tolist()
        for nth in range(int((dates == date).sum()))
    )
    assert names(made, void=True) == [
        label("letters", 7, key, nth) for key in keys for nth in range(registered(7, key, App().candidates))
    ]
    hits = made.start[~made.void]
    sought = made.start[made.void]
    after = hits[np.searchsorted(hits, sought)]
    assert (after - sought < 3 * SECOND).all()
    assert made.contacts == len(TIMES)


def test_words_of_the_common_pool_are_drawn_as_ever():
    made = turned(TIMES, window(), app=App(names="words"))
    assert not made.void.any()
    assert not any(peer.made for peer in made.peers)


def test_labels_are_of_their_alphabets():
    letters = {label("letters", secret, "20514", 3) for secret in range(50)}
    hashed = {label("hashed", secret, "20514", 3) for secret in range(50)}
    assert len(letters) == len(hashed) == 50
    assert all(8 <= len(one) <= 15 and set(one) <= set("abcdefghijklmnopqrstuvwxy") for one in letters)
    assert all(len(one) == 14 and one[0] == "d" and one.isalnum() for one in hashed)


def test_every_candidate_may_be_the_one_that_exists():
    assert {registered(7, str(turn), 5) for turn in range(100)} == set(range(5))


def test_nothing_is_sought_before_the_beginning():
    made = turned(np.array([1_000], dtype=np.int64), window())
    assert made.start.min() >= 0


@pytest.mark.parametrize(("turn", "passing"), [("none", False), ("day", True), ("contact", True)])
def test_hosts_that_change_in_turn_are_those_of_their_turn_only(turn, passing):
    peers = turned(TIMES[:9], window(), turn, App("words")).peers
    assert {peer.passing for peer in peers} == {passing}
