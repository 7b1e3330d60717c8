"""Fails if a test that CI has everything for was skipped, or if none ran."""

import sys
from xml.etree import ElementTree

suite = ElementTree.parse(sys.argv[1]).getroot()
cases = list(suite.iter("testcase"))
skipped = [
    f"{case.get('classname')}::{case.get('name')}: {skip.get('message')}"
    for case in cases
    for skip in case.iter("skipped")
    if skip.get("type") != "pytest.xfail"
]
print(f"{len(cases)} test cases, {len(skipped)} skipped")
print("\n".join(skipped))
sys.exit(1 if skipped or not cases else 0)
