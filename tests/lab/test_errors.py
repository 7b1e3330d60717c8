import detector.contract
from lab import errors


def test_one_class_serves_both_sides_of_the_border():
    assert errors.EvidenceError is detector.contract.EvidenceError
    assert errors.Unsupported is detector.contract.Unsupported


def test_a_scenario_error_keeps_every_fault():
    fault = errors.ScenarioError(["a", "b"])
    assert fault.faults == ["a", "b"]
    assert str(fault) == "a\nb"
