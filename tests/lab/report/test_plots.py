"""Plots: what is kept in the file is what Altair makes, holds no data, and no expression made of any."""

import json
import re

from lab.report.plots import FROZEN, specifications

KNOWN = {
    "datum.kind == 'step'",
    "datum.kind == 'at'",
    "datum.kind == 'cell'",
    "datum.kind == 'half'",
    "datum.kind == 'most'",
    "datum.kind == 'limit'",
}


def nodes(tree):
    yield tree
    for one in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from nodes(one)


def test_the_file_holds_what_altair_makes():
    assert json.loads(FROZEN.read_text()) == specifications()


def test_no_specification_holds_data_or_an_address():
    text = FROZEN.read_text()
    assert not re.search(r"https?:|url|href|datasets", text)
    for spec in json.loads(text).values():
        assert spec["data"] == {"name": "rows"}
        assert {one["filter"] for one in nodes(spec) if isinstance(one, dict) and "filter" in one} <= KNOWN
