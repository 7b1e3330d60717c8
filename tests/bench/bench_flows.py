"""Speed of the flows stage: device-days a second from a scenario to a proved recording, and the memory it takes.

CPU milliseconds per device-day of compiling, playing and reading back, for phones with few and with many apps, cold (the
first scenario of a process, which makes the scripts of all ways of speaking) and warm. With ``--fleet``: one scenario
of so many phones of ten days each, recorded end to end in blocks on all processors, whose time must grow with the
device-days alone; the memory is that of all its processes.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.process_tree import peak_of_tree

NEEDED_MS = 60.0  # CPU milliseconds per device-day: 10,000 in five minutes on two cores
NEEDED_S, NEEDED_GIB = 300.0, 4.0  # wall seconds of 10,000 device-days, memory of any number
FLEET_DAYS = 10
MANY = """question = "What do phones of many apps cost?"
span = "{hours}h"
devices = {devices}

[background]
apps = {apps}

[[app]]
package = "com.heron.browser"
category = "communication"
roles = ["browser"]
[[app.behaviour]]
kind = "web-browsing"
reading = "60s"
"""
DAY_US = 86_400_000_000


def measured(devices: int, apps: int, seed: int, folder: Path) -> tuple[float, ...]:
    """Device-days, conversations and the CPU seconds of compiling, playing and reading back."""
    from detector.contract import open_telemetry
    from lab.recording import open_recording
    from lab.scenario import compile_scenario, parse_scenario
    from lab.stages import play

    text = MANY.format(devices=devices, apps=apps, hours=24)
    scenario = parse_scenario(text.encode(), name=f"phones-{devices}-{apps}", place="bench")
    moments = [time.process_time()]
    timeline = compile_scenario(scenario, seed)
    moments.append(time.process_time())
    play("flows", timeline, folder / "of", replace=True)
    moments.append(time.process_time())
    open_telemetry(open_recording(folder / "of").telemetry)
    moments.append(time.process_time())
    spent = [after - before for before, after in pairwise(moments)]
    return devices * timeline.span / DAY_US, len(timeline.conversations.start), *spent


def line(name: str, rows: Sequence[tuple[float, ...]]) -> str:
    """A row of the table: medians."""
    days, said, *spent = (statistics.median(column) for column in zip(*rows, strict=True))
    each = [1_000 * one / days for one in spent]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_048_576
    verdict = "held" if sum(each) <= NEEDED_MS else "not held"
    cells = " ".join(f"{one:9.1f}" for one in (*each, sum(each)))
    return f"{name:26} {days:9,.0f} {said / days:9,.0f} {cells} {memory:7.2f}  {verdict}"


def fleet(phones: int, apps: int, folder: Path) -> tuple[float, float, float, float]:
    """Device-days of a fleet, and the wall seconds, CPU seconds and GiB of recording it."""
    from lab.running.record import record
    from lab.scenario import parse_scenario

    text = MANY.format(devices=phones, apps=apps, hours=24 * FLEET_DAYS)
    scenario = parse_scenario(text.encode(), name=f"fleet-{phones}", place="bench")
    begin, before = time.monotonic(), os.times()
    with peak_of_tree() as peak:
        record("flows", scenario, 1, folder / "fleet", replace=True)
    after = os.times()
    return float(phones * FLEET_DAYS), time.monotonic() - begin, sum(after[:4]) - sum(before[:4]), peak[0]


def fleet_line(days: float, wall: float, cpu: float, gib: float) -> str:
    """A row of the table of fleets."""
    held = wall / days * 10_000 <= NEEDED_S and gib <= NEEDED_GIB
    each = f"{1_000 * wall / days:8.1f} {1_000 * cpu / days:8.1f}"
    load = os.getloadavg()[0]
    return f"{days:11,.0f} {wall:8.1f} {each} {gib:6.2f} {load:6.1f}  {'held' if held else 'not held'}"


def main(words: Sequence[str] | None = None) -> int:
    """Prints the table."""
    options = argparse.ArgumentParser(description="Speed of the flows stage.")
    options.add_argument("--devices", type=int, nargs="*", default=[3, 30, 300], help="devices of the scenarios")
    options.add_argument("--apps", type=int, default=25)
    options.add_argument("--fleet", type=int, nargs="*", default=[], help="phones of fleets of ten days")
    given = options.parse_args(words)
    head = ("days", "conv/day", "compile", "play", "read", "ms/day", "GiB")
    print(f"{'scenario':26} " + " ".join(f"{one:>9}" for one in head[:-1]) + f" {head[-1]:>7}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        print(line("3 phones, cold", [measured(3, given.apps, 1, folder)]), flush=True)
        for devices in given.devices:
            rounds = 3 if devices < 100 else 1
            rows = [measured(devices, given.apps, 2 + seed, folder) for seed in range(rounds)]
            print(line(f"{devices} phones, warm", rows), flush=True)
        if given.fleet:
            print(f"{'device-days':>11} {'wall s':>8} {'wall ms':>8} {'CPU ms':>8} {'GiB':>6} {'load':>6}")
        for phones in given.fleet:
            print(fleet_line(*fleet(phones, given.apps, folder)), flush=True)
    print(
        f"needed: {NEEDED_MS:g} ms of CPU a device-day, {given.apps} apps in the background; memory is the process's."
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
