"""How fast captures are decoded, beside Suricata and nfstream, on one file in one run.

A capture of two million packets is made in a temporary folder. In process, on one core: file to flows, exchanges,
names and DNS, median of the rounds, and memory beside the mapped file. As whole processes, in turns: ours
(bench_reader.py, which also writes its three tables as Parquet), Suricata (which writes its logs) and nfstream
(which hands out its flows). All must have seen the same packets. Python programs run as installed ones do, with their
bytecode cached; a first run that nobody measures fills that cache and the page cache. A tool that is absent is left
out, and the table says so. The machine may be busy: a need that is missed is told, never an error.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

NEEDED_PACKETS_S, NEEDED_BYTES = 1.0e6, 150.0
NEEDED = {"suricata": 2.0, "nfstream": 5.0}  # so many times their speed, by the clock
NFSTREAM = """
import sys
from nfstream import NFStreamer
if __name__ == "__main__":
    print(sum(flow.bidirectional_packets for flow in NFStreamer(source=sys.argv[1])))
"""
VERSION_OF = "import importlib.metadata as m, platform; print(m.version('{}'), 'on Python', platform.python_version())"


@dataclass(frozen=True)
class Tool:
    """A program that reads the capture: how it is called, which version, and how many packets it says it saw."""

    command: list[str]
    version: str
    packets: Callable[[str], str]  # of what it printed


@dataclass(frozen=True)
class Run:
    """One whole process: wall and processor seconds, and what it printed."""

    wall: float
    cpu: float
    said: str


def in_process(path: Path, rounds: int) -> tuple[int, float, float, float]:
    """Packets, median wall and processor seconds on one core here; traced peak bytes per packet beside the mapping.

    Memory is the greater of that with one thread and with as many as are taken by default.
    """
    import pyarrow as pa

    from detector.capture import read_capture

    walls, cpus = [], []
    for _ in range(rounds):
        begin, cpu = time.perf_counter(), time.process_time()
        packets = read_capture(path, threads=1).stats.packets
        walls.append(time.perf_counter() - begin)
        cpus.append(time.process_time() - cpu)
    peaks = []
    for threads in (1, None):
        before = pa.total_allocated_bytes()
        tracemalloc.start()
        kept = read_capture(path, threads=threads)
        peaks.append(tracemalloc.get_traced_memory()[1] + pa.total_allocated_bytes() - before)
        tracemalloc.stop()
        del kept
    return packets, statistics.median(walls), statistics.median(cpus), max(peaks) / packets


def tools(path: Path, folder: Path) -> dict[str, Tool | str]:
    """Per tool how it is run, or why it is not."""
    script = folder / "with_nfstream.py"
    script.write_text(NFSTREAM)
    suricata, nfstream = shutil.which("suricata"), os.environ.get("DROIDRANGE_NFSTREAM_PYTHON", "")
    logs = folder / "logs"
    logs.mkdir()
    reader = [sys.executable, str(Path(__file__).parent / "bench_reader.py"), str(path), str(logs)]
    found: dict[str, Tool | str] = {"droidrange": Tool(reader, _numpy(), str.strip)}
    found["suricata"] = "absent: suricata is not on the path"
    if suricata:
        command = [suricata, "-r", str(path), "-k", "none", "-S", "/dev/null", "--runmode", "autofp", "-l", str(logs)]
        found["suricata"] = Tool(command, _said([suricata, "-V"]).removeprefix("This is Suricata version "), _read)
    found["nfstream"] = "absent: DROIDRANGE_NFSTREAM_PYTHON names no Python"
    if nfstream and Path(nfstream).exists():
        nfstream = str(Path(nfstream).absolute())  # not resolved: that would leave its environment
        version = _said([nfstream, "-c", VERSION_OF.format("nfstream")])
        found["nfstream"] = Tool([nfstream, str(script), str(path)], version, str.strip)
    return found


def _numpy() -> str:
    import numpy as np
    import pyarrow as pa

    return f"with numpy {np.__version__}, pyarrow {pa.__version__} on Python {platform.python_version()}"


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _read(said: str) -> str:
    """The packets in Suricata's words."""
    found = re.search(r"read \d+ files?, (\d+) packets", said)
    return found[1] if found else f"no count in: {said[-400:]}"


def run(tool: Tool, folder: Path) -> Run:
    """The tool as a whole process, its former output deleted; RuntimeError with its words if it fails."""
    for old in (folder / "logs").iterdir():
        old.unlink() if old.is_file() else shutil.rmtree(old)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    done = subprocess.run(tool.command, capture_output=True, text=True, cwd=folder, check=False, env=environment)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{tool.command[0]} failed with {done.returncode}: {done.stderr.strip()[-400:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, done.stdout + (done.stderr if tool.packets is _read else ""))


def whole_processes(present: dict[str, Tool], folder: Path, packets: int, rounds: int) -> dict[str, list[Run]]:
    """The runs of each tool, in turns; RuntimeError if one saw other packets."""
    taken: dict[str, list[Run]] = {name: [] for name in present}
    for number in range(rounds + 1):
        for name, tool in present.items():
            one = run(tool, folder)
            if tool.packets(one.said) != str(packets):
                raise RuntimeError(f"{name} saw {tool.packets(one.said)} packets, the capture has {packets}")
            if number:  # the first fills the caches
                taken[name].append(one)
    return taken


def verdict(*, held: bool) -> str:
    """The word for a need."""
    return "held" if held else "NOT HELD"


def table(packets: int, here: tuple[float, float, float], known: dict[str, Tool | str], taken: dict) -> list[str]:
    """The lines of the result."""
    wall, cpu, memory = here
    rate = packets / wall
    lines = [f"{'what':<30}{'wall s':>8}{'CPU s':>8}{'packets/s':>12}   needed"]
    said = f"   >= {NEEDED_PACKETS_S:,.0f}: {verdict(held=rate >= NEEDED_PACKETS_S)}"
    lines.append(f"{'droidrange, in process, 1 core':<30}{wall:>8.2f}{cpu:>8.2f}{rate:>12,.0f}{said}")
    said = f"   <= {NEEDED_BYTES:.0f}: {verdict(held=memory <= NEEDED_BYTES)}"
    lines.append(f"{'  memory, bytes a packet':<30}{memory:>8.0f}{'':>20}{said}")
    for name, tool in known.items():
        if isinstance(tool, str):
            lines.append(f"{name:<30}{tool}")
            continue
        wall = statistics.median(one.wall for one in taken[name])
        cpu = statistics.median(one.cpu for one in taken[name])
        said = _compared(name, taken) if name in NEEDED else ""
        lines.append(f"{name + ', whole process':<30}{wall:>8.2f}{cpu:>8.2f}{packets / wall:>12,.0f}{said}")
    return lines


def _compared(name: str, taken: dict[str, list[Run]]) -> str:
    """How much faster ours is, round by round: other work on the machine then weighs on both."""
    both = list(zip(taken[name], taken["droidrange"], strict=True))
    clock = [theirs.wall / ours.wall for theirs, ours in both]
    cpu = statistics.median(theirs.cpu / ours.cpu for theirs, ours in both)
    times = statistics.median(clock)
    said = f"   ours is {times:.2f} x as fast ({min(clock):.2f} to {max(clock):.2f}; CPU {cpu:.2f} x), "
    return f"{said}needed {NEEDED[name]:g}: {verdict(held=times >= NEEDED[name])}"


def main() -> int:
    """Make the capture, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--flows", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    from make_capture import make_capture

    with tempfile.TemporaryDirectory(prefix="droidrange-bench-") as name:
        folder = Path(name)
        path = folder / "bench.pcap"
        made = make_capture(path, given.packets, given.flows)
        loads = [os.getloadavg()[0]]
        packets, *here = in_process(path, given.rounds)
        if packets != made:
            raise RuntimeError(f"{path}: read {packets} packets, wrote {made}")
        known = tools(path, folder)
        present = {name: tool for name, tool in known.items() if isinstance(tool, Tool)}
        taken = whole_processes(present, folder, packets, given.rounds)
        loads.append(os.getloadavg()[0])
    print(f"{packets:,} packets seen by {' and '.join(present)}; medians of {given.rounds} rounds")
    print(f"load of the machine {loads[0]:.1f} before and {loads[1]:.1f} after, {os.cpu_count()} cores")
    print(*(f"{name} {tool.version}" for name, tool in present.items()), "", sep="\n")
    print(*table(packets, (here[0], here[1], here[2]), known, taken), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
