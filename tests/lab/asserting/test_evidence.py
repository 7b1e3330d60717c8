"""A card to be asserted on is evidence, or says why not; thresholds come with the baseline that they name."""

import json
from dataclasses import replace

import pytest

from lab.asserting.evidence import card_under_test, settings_of
from lab.errors import EvidenceError
from lab.gate.specimen import DETECTOR, card_of, specimen


def ended(status):
    return card_of([replace(one, status=status, reason="why", findings=(), judged=()) for one in specimen()])


def test_what_was_scored_can_be_asserted_on():
    assert card_under_test(card_of(specimen()), DETECTOR, "full").recall() == 1


def test_what_failed_is_no_evidence_and_what_is_unsupported_says_why():
    with pytest.raises(EvidenceError, match=r"trials failed.*why"):
        card_under_test(ended("failed"), DETECTOR, "full")
    assert card_under_test(ended("unsupported"), DETECTOR, "full") == f"{DETECTOR}, full: unsupported: why"


def test_thresholds_come_with_their_baseline(tmp_path):
    (tmp_path / "gate.toml").write_text('thresholds = ["recall no-loss"]\nbaseline = "old.json"\n')
    with pytest.raises(EvidenceError, match=r"old\.json: not found"):
        settings_of(tmp_path / "gate.toml")
    (tmp_path / "old.json").write_text(json.dumps(card_of(specimen())))
    settings, baseline = settings_of(tmp_path / "gate.toml")
    assert (settings.thresholds[0].kind, baseline["suite"]) == ("no-loss", "specimen")
    assert settings_of(None) == (None, None)
