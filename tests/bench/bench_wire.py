"""How fast the wire stage writes recordings: every step from timeline to manifest, TLS included.

Every scenario of suite core is compiled first, then played four times in this process: once cold (with imports), then
three times, of which the median counts. CPU seconds stand beside wall seconds, for a machine that is shared: the last
line says what was held, and whether by both clocks; speed is no reason to fail.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

SUITE = "core"
ROUNDS = 3
NEEDED_PACKETS_S = 100_000.0


def played(timeline, folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of one play."""
    from lab.stages import play

    wall, cpu = time.perf_counter(), time.process_time()
    play("wire", timeline, folder, replace=True)
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(name: str, folder: Path) -> tuple[str, float, float]:
    """A line of the table, and the packets per wall and per CPU second."""
    from lab.recording import CAPTURE, open_recording
    from lab.scenario import compile_scenario, find_scenario, load_scenario

    timeline = compile_scenario(load_scenario(find_scenario(name)), 1)
    cold, *warm = [played(timeline, folder / name) for _ in range(ROUNDS + 1)]
    wall, cpu = (statistics.median(column) for column in zip(*warm, strict=True))
    entry = open_recording(folder / name).files[CAPTURE]
    packets = entry["packets"]
    tls = sum(timeline.speeches[speech].tls for speech in timeline.conversations.speech.tolist())
    share = 100 * tls / len(timeline.conversations.start)
    line = f"{name:24} {packets:9,} {entry['bytes'] / 1e6:7.1f} {share:5.0f}% {cold[0]:6.2f} {wall:6.2f} {cpu:6.2f}"
    verdict = "held" if packets / wall >= NEEDED_PACKETS_S else "not held"
    return f"{line} {packets / wall:12,.0f} {packets / cpu:12,.0f}  {verdict}", packets / wall, packets / cpu


def main() -> int:
    """Prints the table."""
    from lab.scenario import load_suite

    print(f"{'scenario':24} {'packets':>9} {'MB':>7} {'TLS':>6} {'cold s':>6} {'wall s':>6} {'CPU s':>6}", end="")
    print(f" {'packets/s':>12} {'/CPU second':>12}")
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        for name in load_suite(SUITE).scenarios:
            line, *rate = measure(name, Path(folder) / "of")
            rates.append(rate)
            print(line, flush=True)
    slowest = [min(column) for column in zip(*rates, strict=True)]
    verdicts = ["held" if rate >= NEEDED_PACKETS_S else "not held" for rate in slowest]
    print(
        f"needed: {NEEDED_PACKETS_S:,.0f} packets/s; slowest by the wall clock {slowest[0]:,.0f}: {verdicts[0]};",
        end="",
    )
    print(f" per CPU second {slowest[1]:,.0f}: {verdicts[1]} (medians of {ROUNDS})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
