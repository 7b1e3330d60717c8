"""Speed of the bundled detector over sessions: seconds, memory a session beside the tables, and whether it is linear.

Each size is a process of its own. Memory is the peak of the resident set while it detects, less what was resident when
the tables were made. One group in a thousand is new and mostly alerts, so that reasons and moments of decision are in
the time. ``--learned`` teaches it a baseline of as many sessions of the same fleet on other days first, which is not
timed. With ``--packed`` the tables hold each text once, as a reader of dictionaries would hand them over: about
120 bytes a session instead of 240. Speed is no reason to fail.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

NEEDED_S, NEEDED_B = 30.0, 400.0  # of ten million sessions; of each
MILLION = 1_000_000


def measure(sessions: int, detector: str, *, taught: bool, packed: bool = False) -> dict[str, float]:
    """One row, in this process."""
    from detector.contract import detector as detector_named
    from detector.contract import learned
    from tests.bench.detection.many_sessions import NEW, telemetry

    shown = telemetry(sessions, 1, new=NEW, packed=packed)
    if taught:
        shown = replace(shown, baseline=learned(telemetry(sessions, 2, packed=packed)))
    one = detector_named(detector)
    list(one.detect(telemetry(20_000, 3)))  # imports and compilers are not what is measured
    before, cpu, wall = _resident(), time.process_time(), time.monotonic()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # proc(5): the peak begins anew
    findings = alerts = 0
    for finding in one.detect(shown):
        findings, alerts = findings + 1, alerts + finding.alert
    spent = {"wall": time.monotonic() - wall, "cpu": time.process_time() - cpu}
    return {
        "sessions": sessions,
        **spent,
        "bytes": (_peak() - before) / sessions,
        "findings": findings,
        "alerts": alerts,
    }


def _resident() -> int:
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    """Bytes of a line of /proc/self/status."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def line(row: dict[str, float]) -> str:
    """A row of the table."""
    millions = row["sessions"] / MILLION
    fast = row["wall"] / millions * 10 <= NEEDED_S
    small = row["bytes"] <= NEEDED_B
    cells = (f"{millions:8g}", f"{row['wall']:8.1f}", f"{row['cpu']:8.1f}", f"{row['wall'] / millions:8.2f}")
    told = f"time {'HELD' if fast else 'NOT HELD'}, memory {'HELD' if small else 'NOT HELD'}"
    found = f"{row['findings']:9,.0f} {row['alerts']:8,.0f}"
    return f"{' '.join(cells)} {row['bytes']:9.0f} {found} {os.getloadavg()[0]:5.1f}  {told}"


def linear(rows: Sequence[dict[str, float]]) -> str:
    """CPU seconds a million at the largest size against the smallest: more than a quarter more is not linear."""
    small, large = (row["cpu"] / row["sessions"] * MILLION for row in (rows[0], rows[-1]))
    verdict = "HELD" if large <= 1.25 * small else "NOT HELD"
    return f"linear: {small:.2f} CPU s a million at the smallest, {large:.2f} at the largest: {verdict}"


def main(words: Sequence[str] | None = None) -> int:
    """Prints the table."""
    options = argparse.ArgumentParser(description="Speed of the bundled detector.")
    options.add_argument("--millions", type=float, nargs="*", default=[0.5, 1.0, 2.0])
    options.add_argument("--detector", default="builtin")
    options.add_argument("--learned", action="store_true")
    options.add_argument("--packed", action="store_true", help="texts of flows held once: for sizes beyond the memory")
    options.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = options.parse_args(words)
    if given.one:
        print(json.dumps(measure(given.one, given.detector, taught=given.learned, packed=given.packed)))
        return 0
    names = ("millions", "wall s", "CPU s", "s/mill.")
    print(
        " ".join(f"{name:>8}" for name in names),
        f"{'B/session':>9} {'findings':>9} {'alerts':>8} {'load':>5}",
        flush=True,
    )
    rows = []
    for millions in given.millions:
        asked = [sys.executable, __file__, "--one", str(round(millions * MILLION)), "--detector", given.detector]
        asked += ["--learned"] * given.learned + ["--packed"] * given.packed
        made = subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True)
        rows.append(json.loads(made.stdout))
        print(line(rows[-1]), flush=True)
    print(linear(rows))
    print(
        f"needed: ten million in {NEEDED_S:g} s on two cores, {NEEDED_B:g} B a session; CPU s a million stay the same."
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
