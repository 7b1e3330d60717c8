"""The thresholds file: ATT&CK's names, and every fault at once with its place."""

from __future__ import annotations

import pytest

from detector.thresholds import BUNDLED, load_thresholds

MUTABLE = [
    "BeaconIntervalVarianceThreshold",
    "ConnectionFrequencyThreshold",
    "PayloadEntropyThreshold",
    "PayloadSymmetryThreshold",
    "AppNetworkRoleBaseline",
    "LastUserInteractionDelta",
    "AppState",
    "DeviceLockState",
    "TimeWindow",
    "AllowedAppList",
    "AllowedDestinationList",
    "ForegroundStateRequired",
]


@pytest.mark.parametrize("name", MUTABLE)
def test_mutable_elements_keep_their_names_and_carry_a_comment(name):
    lines = [line for line in BUNDLED.read_text().splitlines() if name in line]
    assert lines
    assert any("#" in line for line in lines)


def test_bundled_weights_add_up_to_one():
    assert sum(load_thresholds().polling.product_weights.values()) == pytest.approx(1)


def test_every_fault_is_told_with_its_place(tmp_path):
    text = BUNDLED.read_text().replace("near_miss = 0.5  ", "near_mis = 0.5  ", 1)
    text = text.replace("TimeWindow = 1800 ", 'TimeWindow = "long" ').replace('AppState = "background"', "AppState = 3")
    path = tmp_path / "mine.toml"
    path.write_text(text + "\n[AN9999]\n")
    with pytest.raises(LookupError) as fault:
        load_thresholds(path)
    told = str(fault.value)
    for part in (
        "AN1793: unknown key 'near_mis'",
        "'near_miss' is missing",
        "AN1702: time_window: found 'long'",
        "app_state",
        "AN9999",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[AN1793.points_weights] ", "[AN1793.points_weights]\nmagic = 1.0\n#", "points_weights: found magic"),
        ("no_baseline = 0.6", "else = 0.6", "expected the keys baseline and no_baseline"),
        ("\nseeds = [", '\nseeds = ["x", ', "provenance"),
        ("name_anomaly = 0.35", "name_anomaly = -0.35", "anomaly_lift"),
    ],
)
def test_tables_name_factors_and_no_weight_is_negative(tmp_path, old, new, told):
    text = BUNDLED.read_text()
    assert old in text
    (tmp_path / "mine.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(LookupError, match=told):
        load_thresholds(tmp_path / "mine.toml")


def test_weights_say_where_they_come_from():
    assert load_thresholds().polling.provenance.split


@pytest.mark.parametrize("text", ["= 3", "AN1793 = 5\n"])
def test_a_file_that_is_no_thresholds_is_refused(tmp_path, text):
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(LookupError, match=r"bad\.toml"):
        load_thresholds(tmp_path / "bad.toml")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(LookupError, match=r"found no readable file .*none\.toml"):
        load_thresholds(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("evidence_scale = 8.0", "evidence_scale = 0"),
        ("ConnectionFrequencyThreshold = 6 ", "ConnectionFrequencyThreshold = 1 "),
        ("TimeWindow = 1800 ", "TimeWindow = nan "),
        ("AllowedAppList = []", "AllowedAppList = [3]"),
        ("IgnoredPorts = [67,", 'IgnoredPorts = ["ntp",'),
        ("merge_gap_s = [2.0, 0.3]", "merge_gap_s = []"),
        ('mail = ["imap", "smtp", "pop3"]', 'mail = "imap"'),
    ],
)
def test_a_value_no_verdict_can_be_drawn_with_is_refused(tmp_path, written, instead):
    text = BUNDLED.read_text()
    assert written in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(written, instead, 1))
    with pytest.raises(LookupError, match=r"found .*expected"):
        load_thresholds(path)


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        (
            "handshake_score = 0.95 ",
            "handshake_score = 1.1875 ",
            "AN1702: handshake_score: found 1.1875, expected at most 1",
        ),
        ("known_floor = 0.3 ", "known_floor = 1.5 ", "AN1702: known_floor"),
        ("\nthreshold = 0.6 ", "\nthreshold = 6 ", "AN1793: threshold"),
        ("\nthreshold = 0.35 ", "\nthreshold = 3 ", "AN1702: threshold"),
        ("rare_share = 0.1 ", "rare_share = 10 ", "AN1793: rare_share"),
        ("name_anomaly = 0.35", "name_anomaly = 2", "AN1793: anomaly_lift.name_anomaly: found 2"),
        (
            "no_baseline = 0.998",
            "no_baseline = 0",
            "points_threshold.no_baseline: found 0, expected above 0, at most 1",
        ),
    ],
)
def test_no_score_can_leave_0_to_1(tmp_path, written, instead, told):
    text = BUNDLED.read_text()
    assert written in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(written, instead, 1))
    with pytest.raises(LookupError, match=told.replace(".", r"\.")):
        load_thresholds(path)


@pytest.mark.parametrize("share", ["0", "1"])
def test_both_ends_are_shares(tmp_path, share):
    path = tmp_path / "mine.toml"
    path.write_text(BUNDLED.read_text().replace("known_floor = 0.3 ", f"known_floor = {share} ", 1))
    assert load_thresholds(path).relay.known_floor == float(share)
