"""A column of traits held against the label: when it leaks, when it does not, and when there are too few to tell."""

from statistics import NormalDist

import numpy as np
import pytest

from lab.catalogue.columns import FEW, LEAK, MANNERS, MARGIN, OK, SURE, TOGETHER, judged, verdict_of
from lab.catalogue.traits import Row


def rows(pairs=40, seeds=2, **traits):
    """Two apps of a malicious scenario and one of its twin for each pair; traits by (malicious, number)."""
    made = []
    for pair in range(pairs):
        for seed in range(seeds):
            for package, scenario, bad in (("a", "bad", True), ("b", "bad", False), ("c", "good", False)):
                values = {name: value(bad, pair * 7 + ord(package) * 3 + seed) for name, value in traits.items()}
                made.append(Row(f"p{pair}", f"{scenario}{pair}", seed, f"{package}{pair}", bad, True, values))
    return made


def parts(pairs):
    return {f"bad{pair}": frozenset({f"a{pair}"}) for pair in range(pairs)} | {
        f"good{pair}": frozenset({f"c{pair}"}) for pair in range(pairs)
    }


def told(made, pairs=40):
    return {(one.column, one.among): one for one in judged("apps", made, parts(pairs))}


def test_what_tells_nothing_is_no_leak_and_what_does_is():
    found = told(
        rows(dull=lambda _, n: n * 37 % 11, loud=lambda bad, n: n % 3 + 2 * bad, word=lambda bad, _: f"w{bad}")
    )
    assert {name for name, one in found.items() if one.verdict == LEAK} == {
        (name, among) for name in ("loud", "word") for among in ("everybody", "twins")
    }
    assert found["loud", "everybody"].malicious == 40
    assert found["loud", "twins"].benign == 40
    assert found[TOGETHER, "twins"].tree > 0.9


def test_how_an_app_speaks_is_held_against_its_twin_alone():
    found = told(rows(port=lambda _, n: n % 5, dull=lambda _, n: n % 4))
    assert ("port", "twins") in found
    assert ("port", "everybody") not in found
    assert "port" in MANNERS


def test_few_apps_are_too_few_unless_they_are_all_apart():
    found = told(rows(pairs=4, loud=lambda bad, _: int(bad)))
    assert (found["loud", "everybody"].stump, found["loud", "everybody"].malicious) == (1.0, 4)
    assert found["loud", "everybody"].verdict == LEAK, "all four against all eight is more than chance"
    some = told(rows(pairs=4, mild=lambda bad, n: n % 4 + bad))["mild", "everybody"]
    assert some.stump > 0.6
    assert some.verdict == FEW
    none = told(rows(pairs=4, calm=lambda _, n: n % 2))["calm", "everybody"]
    assert (none.auc <= 0.6, none.verdict) == (True, FEW), "what nobody can tell is not well either"


@pytest.mark.parametrize("share", [0.7, 0.75, 0.8])
@pytest.mark.parametrize("word", [False, True])
def test_a_mild_leak_of_many_apps_is_one(share, word):
    rng = np.random.default_rng(3)
    apart = NormalDist().inv_cdf(share) * 2**0.5

    def mild(bad, _):
        if word:
            return "w" if rng.random() < 0.2 + (2 * share - 1) * bad else f"v{rng.integers(0, 2)}"
        return float(rng.normal(apart * bad))

    found = told(rows(pairs=200, seeds=1, mild=mild), pairs=200)
    for among in ("everybody", "twins"):
        one = found["mild", among]
        assert one.verdict == LEAK, one
        assert one.interval[0] < share < one.interval[1]


def test_chance_alone_hardly_ever_makes_a_leak():
    rng = np.random.default_rng(5)
    for deviation in (0.03, 0.04, 0.08):
        found = [verdict_of(float(auc), deviation) for auc in 0.5 + abs(rng.normal(0, deviation, 5_000))]
        assert found.count(LEAK) / 5_000 < 0.006
        assert set(found) - {LEAK} == {OK if SURE * deviation <= MARGIN else FEW}


def test_the_interval_says_what_chance_does():
    one = told(rows(dull=lambda _, n: n * 37 % 11))["dull", "twins"]
    low, high = one.interval
    assert high - low == pytest.approx(2 * 1.96 * one.deviation)
    assert str(one).startswith(f"apps, dull, against twins: AUC {one.auc:.2f} ({low:.2f} to {high:.2f}), 40 malicious")
    assert one.to_json() | {"auc": one.auc, "interval": [low, high]} == one.to_json()


def test_what_some_lack_is_judged_where_it_is():
    found = told(rows(seeds=1, rank=lambda bad, n: n * 2_654_435_761 % 4_093 % 11 if bad or n % 2 else None))
    assert found["rank", "everybody"].benign < 80
    assert found["rank", "everybody"].verdict != LEAK


def test_what_one_class_lacks_is_no_column():
    found = told(rows(rank=lambda bad, n: n if bad else None))
    assert ("rank", "everybody") not in found
