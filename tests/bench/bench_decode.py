"""How fast captures are decoded, beside Suricata and nfstream, on one file in one run.

A capture of two million packets is made in a temporary folder. In process: file to flows, exchanges, names and DNS,
median of three, and memory beside the mapped file. As whole processes, interleaved, three rounds: ours, Suricata and
nfstream. A tool that is absent is left out, and the table says so.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

ROUNDS = 3
NEEDED_PACKETS_S, NEEDED_BYTES, NEEDED_SURICATA, NEEDED_NFSTREAM = 1.0e6, 150.0, 2.0, 5.0
OURS = "import sys, pathlib; from detector.capture import read_capture as r; print(r(pathlib.Path(sys.argv[1])).stats.packets)"
NFSTREAM = """
import sys
from nfstream import NFStreamer
if __name__ == "__main__":
    print(sum(flow.bidirectional_packets for flow in NFStreamer(source=sys.argv[1])))
"""


def in_process(path: Path) -> tuple[int, float, float, float]:
    """Packets, median wall and processor seconds of decoding here, traced peak bytes per packet beside the mapping."""
    import pyarrow as pa

    from detector.capture import read_capture

    walls, cpus = [], []
    for _ in range(ROUNDS):
        begin, cpu = time.perf_counter(), time.process_time()
        capture = read_capture(path)
        walls.append(time.perf_counter() - begin)
        cpus.append(time.process_time() - cpu)
    packets = capture.stats.packets
    del capture
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    kept = read_capture(path)
    peak = tracemalloc.get_traced_memory()[1] + pa.total_allocated_bytes() - before
    tracemalloc.stop()
    assert kept.stats.packets == packets
    return packets, statistics.median(walls), statistics.median(cpus), peak / packets


def commands(path: Path, folder: Path) -> dict[str, list[str] | str]:
    """Per tool its command, or why there is none."""
    script = folder / "with_nfstream.py"
    script.write_text(NFSTREAM)
    suricata, nfstream = shutil.which("suricata"), os.environ.get("DROIDRANGE_NFSTREAM_PYTHON", "")
    logs = folder / "logs"
    logs.mkdir()
    found: dict[str, list[str] | str] = {"droidrange": [sys.executable, "-c", OURS, str(path)]}
    found["suricata"] = (
        [suricata, "-r", str(path), "-k", "none", "-S", "/dev/null", "--runmode", "autofp", "-l", str(logs)]
        if suricata
        else "absent: suricata is not on the path"
    )
    found["nfstream"] = (
        [nfstream, str(script), str(path)]
        if nfstream and Path(nfstream).exists()
        else "absent: DROIDRANGE_NFSTREAM_PYTHON names no Python"
    )
    return found


def run(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and processor seconds of a whole process; RuntimeError with its words if it fails."""
    for old in (folder / "logs").iterdir():
        old.unlink() if old.is_file() else shutil.rmtree(old)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed with {done.returncode}: {done.stderr.strip()[-400:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def whole_processes(tools: dict[str, list[str] | str], folder: Path) -> dict[str, tuple[float, float]]:
    """Median wall and processor seconds of each tool that is present, measured in turns."""
    taken: dict[str, list[tuple[float, float]]] = {
        name: [] for name, command in tools.items() if isinstance(command, list)
    }
    for _ in range(ROUNDS):
        for name, times in taken.items():
            times.append(run(tools[name], folder))  # type: ignore[arg-type]  # only lists are kept above
    return {
        name: (statistics.median(wall for wall, _ in times), statistics.median(cpu for _, cpu in times))
        for name, times in taken.items()
    }


def table(packets: int, seconds: tuple[float, float], memory: float, tools: dict, taken: dict) -> list[str]:
    """The lines of the result."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    lines = [
        f"{packets:,} packets, one file, medians of {ROUNDS}; load of this machine {load} on {os.cpu_count()} cores",
        "",
    ]
    lines.append(f"{'what':<28}{'wall s':>9}{'CPU s':>9}{'packets/s':>13}   needed")
    rate = packets / seconds[0]
    verdict = "held" if rate >= NEEDED_PACKETS_S else "MISSED"
    lines.append(
        f"{'droidrange, in process':<28}{seconds[0]:>9.2f}{seconds[1]:>9.2f}{rate:>13,.0f}   >= {NEEDED_PACKETS_S:,.0f}: {verdict}"
    )
    verdict = "held" if memory <= NEEDED_BYTES else "MISSED"
    lines.append(f"{'  memory, bytes a packet':<28}{memory:>9.0f}{'':>22}   <= {NEEDED_BYTES:.0f}: {verdict}")
    own = taken["droidrange"][0]
    for name, command in tools.items():
        if isinstance(command, str):
            lines.append(f"{name:<28}{command}")
            continue
        wall, cpu = taken[name]
        needed = {"suricata": NEEDED_SURICATA, "nfstream": NEEDED_NFSTREAM}.get(name)
        said = ""
        if needed:
            said = f"   ours is {wall / own:.1f} x as fast, needed {needed:g}: {'held' if wall / own >= needed else 'MISSED'}"
        lines.append(f"{name + ', whole process':<28}{wall:>9.2f}{cpu:>9.2f}{packets / wall:>13,.0f}{said}")
    return lines


def main() -> int:
    """Make the capture, measure, print the table; 1 if a need is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--flows", type=int, default=60_000)
    given = parser.parse_args()
    from make_capture import make_capture

    with tempfile.TemporaryDirectory(prefix="droidrange-bench-") as name:
        folder = Path(name)
        path = folder / "bench.pcap"
        made = make_capture(path, given.packets, given.flows)
        packets, wall, cpu, memory = in_process(path)
        if packets != made:
            raise RuntimeError(f"{path}: read {packets} packets, wrote {made}")
        tools = commands(path, folder)
        lines = table(packets, (wall, cpu), memory, tools, whole_processes(tools, folder))
    print("\n".join(lines))
    return int(any("MISSED" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main())
