"""Names in our writing."""

import pyarrow as pa

from detector.imports.words import RCODES, lower, qtype


def test_names_are_lower_case_without_final_dot():
    assert lower(pa.array(["A.B.", ".", None])).to_pylist() == ["a.b", None, None]


def test_types_go_by_number_before_name():
    assert qtype(pa.array([255, None, 65]), pa.array(["*", "TXT", "query-65"])).to_pylist() == ["ANY", "TXT", "HTTPS"]


def test_codes_have_distinct_names():
    assert len(set(RCODES.values())) == len(RCODES)
