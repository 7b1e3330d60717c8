"""An attempt: whatever happens is a value; only what the author of a scenario must mend is raised."""

import pytest

from lab.errors import ScenarioError, Unsupported
from lab.running.attempt import REASON_AT_MOST, Ended, attempt, short


def failing(fault):
    def action():
        raise fault

    return action


def test_a_value_is_scored():
    assert attempt(lambda: 7) == Ended("scored", "", 7)


def test_what_cannot_be_done_is_unsupported():
    assert attempt(failing(Unsupported("no flows"))) == Ended("unsupported", "no flows", None)


def test_any_fault_is_a_failure_with_its_place():
    found = attempt(failing(ZeroDivisionError("by 0")))
    assert (found.status, found.value) == ("failed", None)
    assert found.reason.startswith("ZeroDivisionError: by 0 (test_attempt.py, line ")
    assert found.reason.endswith("in action)")


@pytest.mark.parametrize("fault", [ScenarioError(["x"]), KeyboardInterrupt()])
def test_what_others_must_answer_is_raised(fault):
    with pytest.raises(type(fault)):
        attempt(failing(fault))


def test_reasons_are_short():
    assert len(attempt(failing(ValueError("x" * 10_000))).reason) == REASON_AT_MOST
    assert short("x" * REASON_AT_MOST) == "x" * REASON_AT_MOST
    assert short("x" * (REASON_AT_MOST + 1)).endswith("x...")
