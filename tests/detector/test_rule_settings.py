"""Numbers in a rule detector's argument."""

from __future__ import annotations

import pytest

from detector.rule_settings import settings_of


def test_a_path_may_have_none():
    assert settings_of("rules/a.sql") == ("rules/a.sql", {})


def test_whole_numbers_stay_whole():
    path, settings = settings_of("a.sql?n=12&share=0.5&large=1e300")
    assert path == "a.sql"
    assert settings == {"n": 12, "share": 0.5, "large": 1e300}
    assert isinstance(settings["n"], int)


@pytest.mark.parametrize("text", ["a?", "a?n", "a?n=", "a?=3", "a?n=nan", "a?n=inf", "a?n=1&n=2", "a?n=1&", "a?n=x"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(LookupError, match=r"expected \?NAME=NUMBER"):
        settings_of(text)
