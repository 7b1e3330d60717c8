"""How long a scenario with a background of 25 apps takes to become a timeline, and the memory that it needs.

Each row is a process of its own: the first world is cold (imports, the library's files), then others of other seeds
follow, of which the median counts. CPU milliseconds per phone and day; the peak is that of the whole process. Speed
is no reason to fail.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

PHONES, HOURS = (3, 100), (24, 72, 168)
SEEDS = 3
NEEDED_MS = 20.0
WORLD = """question = "How long does it take?"
span = "{hours}h"
devices = {phones}
[background]
apps = 25
[[app]]
package = "com.orchard.torch"
category = "tools"
[[app.behaviour]]
kind = "http-poll"
label = "AN1793"
"""


def compiled(phones: int, hours: int, seed: int) -> tuple[float, int, int]:
    """CPU seconds of one world, its conversations and its exchanges."""
    from lab.scenario import compile_scenario, parse_scenario

    before = time.process_time()
    world = parse_scenario(WORLD.format(phones=phones, hours=hours).encode(), name="bench", place="bench.toml")
    timeline = compile_scenario(world, seed)
    return time.process_time() - before, len(timeline.conversations.start), len(timeline.exchanges.time)


def peak_mib() -> float:
    """The most memory this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(phones: int, hours: int) -> dict[str, float]:
    """One row, in this process."""
    cold, *_ = compiled(1, 1, 0)
    worlds = [compiled(phones, hours, seed) for seed in range(1, SEEDS + 1)]
    seconds, conversations, exchanges = (statistics.median(column) for column in zip(*worlds, strict=True))
    per_day = 1000 * seconds / (phones * hours / 24)
    return {
        "cold": 1000 * cold,
        "per_day": per_day,
        "conversations": conversations,
        "exchanges": exchanges,
        "peak": peak_mib(),
    }


def main() -> int:
    """Prints the table."""
    print(f"{'phones':>6} {'hours':>5} {'conversations':>13} {'exchanges':>11} {'cold ms':>8} {'ms/day':>7} {'MiB':>7}")
    for phones in PHONES:
        for hours in HOURS:
            asked = [sys.executable, __file__, str(phones), str(hours)]
            row = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
            held = "held" if row["per_day"] <= NEEDED_MS else "not held"
            print(f"{phones:6} {hours:5} {row['conversations']:13,.0f} {row['exchanges']:11,.0f}", end=" ")
            print(f"{row['cold']:8.0f} {row['per_day']:7.1f} {row['peak']:7.0f}  {held}", flush=True)
    print(f"needed: {NEEDED_MS:g} CPU ms per phone and day (medians of {SEEDS} seeds)")
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(*map(int, sys.argv[1:]))))
        raise SystemExit
    raise SystemExit(main())
