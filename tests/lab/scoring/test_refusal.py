"""When a run is no evidence: something failed, nothing was scored, or not one trial of some detector."""

import pytest

from lab.scoring.refusal import refusal


def card(**detectors):
    cells = [dict(zip(("scored", "unsupported", "failed"), counts, strict=True)) for counts in detectors.values()]
    trials = {name: sum(cell[name] for cell in cells) for name in ("scored", "unsupported", "failed")}
    whole = {name: {"views": {"full": {"trials": cell}}} for name, cell in zip(detectors, cells, strict=True)}
    return {"trials": trials, "detectors": whole}


@pytest.mark.parametrize(
    ("detectors", "said"),
    [
        ({}, "nothing was scored"),
        ({"builtin": (0, 3, 0)}, "nothing was scored"),
        ({"builtin": (2, 0, 1), "silent": (3, 0, 0)}, "1 of 6 trials failed"),
        ({"builtin": (3, 0, 0), "rita": (0, 3, 0)}, "no evidence for rita: not one trial"),
    ],
)
def test_what_is_no_evidence_says_why(detectors, said):
    assert said in refusal(card(**detectors))


def test_some_trials_that_nobody_could_run_are_no_reason():
    assert refusal(card(builtin=(2, 1, 0), silent=(3, 0, 0))) is None
