import math

import pytest
from pydantic import ValidationError

from lab.gate.specimen import DETECTOR, card_of, specimen
from lab.scoring.card_measures import OfDetector


def detector():
    return card_of(specimen())["detectors"][DETECTOR]


def test_what_was_measured_has_this_shape():
    found = OfDetector.model_validate(detector()).views["full"].analytics["AN1793"]
    assert (found.incidents, found.recall, found.trials.scored) == (12, 1.0, 12)


@pytest.mark.parametrize(("key", "value"), [("recall", 1.5), ("recall", math.nan), ("incidents", -1), ("more", 1)])
def test_another_shape_is_a_fault(key, value):
    whole = detector()
    whole["views"]["full"]["analytics"]["AN1793"][key] = value
    with pytest.raises(ValidationError, match=key):
        OfDetector.model_validate(whole)
