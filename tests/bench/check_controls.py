"""Whether the controls mean what they say, suite by suite: always finds all that is shown, and silent finds nothing.

On the flows stage under several views, one seed. The tests hold a few suites (tests/test_controls.py); ``make
bench-controls`` holds the largest, of which all but those of the tests are part. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lab.running.trial import Plan, run_suite, score_folder
from lab.scenario import suite_scenarios
from lab.scoring.matching import APPLESS

LARGEST = "full"
CONTROLS, VERDICTS = ("always", "silent"), ("detected", "missed", "unseen")
VIEWS = ("full", "no-app", "netflow", "dns-only")
Row = Mapping[str, Any]  # an incident of scorecard.json
HEAD = "| suite | control | analytic | detected | missed | unseen | CPU s |\n|---|---|---|--:|--:|--:|--:|"


def verdicts(suite: str, folder: Path) -> dict[str, list[Row]]:
    """The verdicts on every incident, by control, of a suite on the flows stage."""
    name, scenarios = suite_scenarios(suite)
    malicious = tuple(one for one in scenarios if one.analytics)
    run_suite(Plan(name, malicious, (1,), "flows", ("always",), VIEWS), folder, workers=1)
    rows = score_folder(folder).to_json()["incidents"]
    return {control: [row for row in rows if row["detector"] == control] for control in CONTROLS}


def places(rows: Iterable[Row], verdict: str) -> list[tuple[str, str, str]]:
    return [(row["scenario"], row["view"], row["incident"]) for row in rows if row["verdict"] == verdict]


def told_with(row: Row, rows: Iterable[Row]) -> bool:
    """Whether it is one of two relays of a phone under a view without apps: the one alert for both is one hit."""
    same = ("scenario", "seed", "view", "device", "analytic")
    others = [one for one in rows if all(one[name] == row[name] for name in same) and one["verdict"] == "detected"]
    return row["view"] in APPLESS and row["analytic"] == "AN1702" and bool(others)


def faults(found: Mapping[str, Sequence[Row]]) -> list[str]:
    """What the controls did not do that they say they do."""
    always, silent = (found[control] for control in CONTROLS)
    missed = [row for row in always if row["verdict"] == "missed" and not told_with(row, always)]
    wrong = [f"always missed {place}" for place in places(missed, "missed")]
    wrong += [f"silent detected {place}" for place in places(silent, "detected")]
    hidden = {*places(always, "unseen")} - {*places(silent, "unseen")}
    wrong += [f"unseen by always alone: {place}" for place in sorted(hidden)]
    return wrong if places(always, "detected") else [*wrong, "always detected nothing"]


def main(words: Sequence[str] | None = None) -> int:
    """Plays, prints, and returns 3 where a control does not hold."""
    options = argparse.ArgumentParser(description="The controls always and silent, held over suites.")
    options.add_argument("suites", nargs="*", default=[LARGEST])
    wrong = []
    print(HEAD)
    for suite in options.parse_args(words).suites:
        begun = time.process_time()
        with tempfile.TemporaryDirectory() as scratch:
            found = verdicts(suite, Path(scratch))
        took = time.process_time() - begun
        wrong += [f"{suite}: {fault}" for fault in faults(found)]
        counts = Counter((control, row["analytic"], row["verdict"]) for control in found for row in found[control])
        for control, analytic in sorted({key[:2] for key in counts}):
            cells = " | ".join(str(counts[control, analytic, verdict]) for verdict in VERDICTS)
            print(f"| {suite} | {control} | {analytic} | {cells} | {took:.0f} |", flush=True)
    for fault in wrong:
        print(fault, file=sys.stderr)
    return 3 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
