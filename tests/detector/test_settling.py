"""Numbers set in place in a file of thresholds."""

import pytest

from detector.settling import settled


def test_settled_keeps_what_it_was_not_told_to_change():
    text = "# why\n[a]\nx = 1.0   # of a\ny = 2\n[a.b]\nx = 3.0\n"
    expected = text.replace("x = 3.0", "x = 4.0").replace("y = 2", "y = [1, 2]")
    assert settled(text, {"a.b": {"x": 4.0}, "a": {"y": [1, 2]}}) == expected


def test_a_key_that_is_not_there_is_refused():
    with pytest.raises(LookupError, match="a: z"):
        settled("[a]\nx = 1.0\n", {"a": {"z": 1.0}})
