"""The controls are detectors that exist, and those that know one thing are among them."""

from detector.contract import detector_names
from lab.scoring.controls import CONTROLS, KNOWING


def test_every_control_is_a_bundled_detector():
    assert {*CONTROLS} <= {*detector_names()}
    assert {*KNOWING} < {*CONTROLS}
