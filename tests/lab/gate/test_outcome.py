"""The exit code, what the evidence covers, and what was listed and not counted."""

from dataclasses import replace

import pytest

from lab.gate.outcome import completeness


def test_what_is_said_as_json(gates):
    card = gates.card(gates.spoiled(gates.trials(), lost=[gates.scenario(2)]))
    found = gates.gate(card, "polling.recall >= 1", "off recall >= 0.5", baseline=None).to_json()
    assert (found["gate"], found["exit_code"], found["schema_version"], found["alpha"]) == ("broken", 1, 1, 0.05)
    first, second = found["thresholds"]
    assert (first["status"], first["limit"], first["detector"], first["kind"]) == (
        "broken",
        1.0,
        "specimen",
        "absolute",
    )
    assert first["measured"] == {
        "value": pytest.approx(11 / 12),
        "n": 12,
        "of": "incidents",
        "interval": [pytest.approx(0.646, abs=1e-3), pytest.approx(0.985, abs=1e-3)],
        "note": "",
    }
    assert first["named"][0]["command"].startswith("droidrange run specimen-02 ")
    assert (second["status"], second["detector"]) == ("idle", None)


def test_exit_codes(gates):
    card = gates.card(gates.trials())
    codes = [
        gates.gate(card, *lines).exit_code
        for lines in (
            ["recall >= 1"],
            ["time_to_detect_p50 <= 1s"],
            ["warn time_to_detect_p50 <= 1s"],
            ["recall{colour=red} >= 1", "time_to_detect_p50 <= 1s"],
            ["off recall >= 1"],
            [],
        )
    ]
    assert codes == [0, 1, 0, 3, 3, 3]


def test_blind_spots_are_listed_and_not_counted(gates):
    hidden = tuple(gates.trials()[0].truth.incidents[1].incident for _ in range(1))
    trials = [replace(one, findings=one.findings[:1], unseen=hidden) for one in gates.trials()]
    found = gates.gate(gates.card(trials), "recall >= 1")
    assert found.exit_code == 0
    assert [(row["behaviour"], row["why"]) for row in found.blind_spots] == [("socks-relay", "unseen")]
    assert found.verdicts[0].notes[0] == "12 unseen, not counted"
    assert found.to_json()["evidence"]["cells"][0]["unseen"] == 12


def test_completeness(gates):
    trials = [
        replace(gates.trials()[0], status="unsupported", reason="no table", findings=()),
        *gates.trials()[1:],
        *(replace(one, detector="silent", findings=()) for one in gates.trials()),
    ]
    found = completeness(gates.card(trials))
    assert found["trials"] == {"scored": 23, "unsupported": 1, "failed": 0}
    (cell,) = found["cells"]
    assert (cell["detector"], cell["trials"]["unsupported"], cell["incidents"], cell["device_days"]) == (
        "specimen",
        1,
        22,
        22.0,
    )
    assert found["unscored"] == ["specimen-00 seed 1: unsupported, no table"]
    name = gates.trials()[0].truth.incidents[0].incident
    one = [replace(gates.trials()[0], findings=(), unseen=(name,)), *gates.trials()[1:]]
    (cell,) = completeness(gates.card(one))["cells"]
    assert (cell["incidents"], cell["unseen"]) == (24, 1)
