"""A rival's bar in its argument: read, refused, and nothing but what alerts from there on."""

from itertools import pairwise

import numpy as np
import pytest

from detector.contract import Origin, detector
from detector.rivals.tuned import bar_word, with_bar
from detector.rivals.verdicts import Bar

BAR = Bar(0.7, 1.0)
ORIGIN = Origin("made up", "2026-11-21", (1,), 0.001, 2000.0)


@pytest.mark.parametrize("words", ["threshold=0", "threshold=1.1", "threshold=x", "threshold=nan", ",threshold=0.5"])
def test_a_bar_that_none_can_be_is_refused(words):
    with pytest.raises(LookupError, match="threshold=T, T from 1e-06 to 1"):
        bar_word(words, BAR, "rita")


@pytest.mark.parametrize("name", ["rita", "elastic", "sentinel", "baywatch", "zhang-paxson", "symmetry-only"])
def test_words_that_it_does_not_know_are_refused_still(name):
    for argument in ("loud", "gate,threshold=0.5", "threshold=0.5,loud"):
        with pytest.raises(LookupError, match=f"detector {name}: found the argument"):
            detector(f"{name}:{argument}")


def test_a_bar_replaces_the_one_before():
    assert with_bar("elastic:jitter=0.4,threshold=2.0,gate", {"threshold": 1.5}).spelled() == (
        "elastic:jitter=0.4,threshold=1.5,gate"
    )
    assert with_bar("rita", {"threshold": 0.9}).spelled() == "rita:threshold=0.9"


@pytest.mark.parametrize("name", ["rita", "elastic", "sentinel", "baywatch"])
def test_what_alerts_is_what_scored_that_much(made, rng, name):
    """Set to between any two of its scores, it alerts on what is above and on nothing else."""
    made.span_s = 2 * 86_400
    for number, spread in enumerate((0.0, 0.02, 0.3, 0.9)):
        who = {"uid": 10_001 + number, "package": f"com.example.app{number}"}
        named = {"name": f"c{number}.example", "sni": f"c{number}.example", "name_from": "sni", "app_proto": "tls"}
        times = np.cumsum(60 * (1 + spread * rng.uniform(-1, 1, 2500)))
        made.polls(times[times < made.span_s], **named, **who, server=f"198.18.0.{9 + number}")
    telemetry = made.telemetry()
    one = detector(name)
    (knob,) = one.knobs
    said = {(found.package, found.peer): found.score for found in one.detect(telemetry)}
    assert said
    steps = [0.0, *sorted({*said.values()}), 1.0]
    for low, high in pairwise(steps):
        bar = (low + high) / 2 * knob.scale
        if low >= high or bar < knob.value / 2:  # below the near misses of the untuned
            continue
        other = detector(one.tuned({knob.name: bar}, ORIGIN).spelled())
        alerts = {(found.package, found.peer) for found in other.detect(telemetry) if found.alert}
        assert alerts == {who for who, score in said.items() if score >= high}


def test_the_published_bar_is_the_knob_untouched():
    assert [detector(name).knobs[0].value for name in ("rita", "elastic", "symmetry-only")] == [0.7, 1.0, 0.8]
