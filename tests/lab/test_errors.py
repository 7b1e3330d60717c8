"""Errors keep what they say."""

import pickle

from lab.errors import ScenarioError


def test_all_faults_survive_the_way_out_of_a_worker():
    again = pickle.loads(pickle.dumps(ScenarioError(["app 1: a", "app 2: b"])))
    assert again.faults == ["app 1: a", "app 2: b"]
    assert str(again) == "app 1: a\napp 2: b"
