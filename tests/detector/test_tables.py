import pyarrow as pa
import pytest

from detector.tables import SCHEMAS

TRUTH_WORDS = {"incident", "label", "malicious", "behaviour", "twin_of", "scenario", "seed", "truth"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_table_has_a_column_that_says_what_is_true(name):
    # packages.label is the app's name as the launcher shows it
    words = set(SCHEMAS[name].names) - ({"label"} if name == "packages" else set())
    assert not words & TRUTH_WORDS


@pytest.mark.parametrize("name", SCHEMAS)
def test_times_are_integers_of_microseconds(name):
    times = {"time", "start", "end", "answered", "first_down", "last_interaction"}
    assert all(field.type == pa.int64() for field in SCHEMAS[name] if field.name in times)
