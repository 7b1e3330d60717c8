"""Why nothing was found: missed, not shown, or not judged."""

import pytest

from lab.scoring.blindness import blind_spots
from lab.scoring.outcomes import outcomes


def spots(*trials):
    met = [one for trial in trials if trial.status == "scored" for one in outcomes(trial)[0]]
    return blind_spots("builtin", "full", met, trials)


@pytest.mark.parametrize(
    ("changes", "why", "unseen", "unsupported"),
    [
        ({}, "missed", 0, 0),
        ({"unseen": ("phone-01/com.example.torch/http-poll",)}, "unseen", 1, 0),
        ({"status": "unsupported", "reason": "no table"}, "unsupported", 0, 1),
        ({"judged": ("AN1702",)}, "unsupported", 0, 1),
    ],
)
def test_why_nothing_was_found(make, changes, why, unseen, unsupported):
    (row,) = spots(make.trial(**changes))
    assert (row["why"], row["unseen"], row["unsupported_incidents"]) == (why, unseen, unsupported)


def test_what_was_found_once_is_no_blind_spot(make):
    assert spots(make.trial(make.finding()), make.trial(seed=2)) == []
