import detector.contract
from lab import errors


def test_one_class_serves_both_sides_of_the_border():
    assert errors.EvidenceError is detector.contract.EvidenceError
    assert errors.Unsupported is detector.contract.Unsupported


def test_a_scenario_error_keeps_every_fault():
    fault = errors.ScenarioError(["a", "b"])
    assert fault.faults == ["a", "b"]
    assert str(fault) == "a\nb"


def test_a_fault_that_many_files_share_is_told_once():
    assert errors.ScenarioError(["b: wrong", "a: wrong", "b: wrong"]).faults == ["b: wrong", "a: wrong"]
    assert str(errors.ScenarioError(["b: wrong", "b: wrong"])) == "b: wrong"
