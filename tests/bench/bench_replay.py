"""How punctually and how fast a replay leaves, side by side with tcpreplay and scapy's sendp, in one run.

On a veth pair of its own between two namespaces, a recorder at the far end: kernel time stamps of arrival, one clock for
all. Senders take turns, ROUNDS times: 2,000 packets a second with exponential gaps, then as fast as each can. The
medians of the rounds count. Speed is no reason to fail; the last line says what was held. Needs root.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

PACKETS, RATE = 8_000, 2_000.0
FLOOD = 100_000
SIZE = 757
ROUNDS = 3
NEEDED = {"p50_us": 50.0, "p99_us": 1_000.0, "drift_ms": 10.0}
NEEDED_RATE = 50_000.0
BOUND_S = 300
_STAMP_NS, _FORCE = 35, 33  # SO_TIMESTAMPNS, SO_RCVBUFFORCE


def made(path: Path, count: int, rate: float) -> Path:
    """A capture of datagrams between lab addresses, exponential gaps, the number of each in its IP id and payload."""
    import numpy as np
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether

    gaps = np.random.default_rng(7).exponential(1e6 / rate, count).astype(int)
    head = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:01") / IP(src="10.88.0.2", dst="198.18.0.9", id=1)
    plain = bytes(head / UDP(sport=40_000, dport=4433) / bytes(SIZE - 42))
    times = 1_772_409_600_000_000 + np.cumsum(gaps)
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        for number, at in enumerate(times.tolist()):
            frame = plain[:42] + number.to_bytes(4, "big") + plain[46:]
            file.write(struct.pack("<IIII", at // 1_000_000, at % 1_000_000, len(frame), len(frame)) + frame)
    return path


def recorder(spec: str, out: str, count: int) -> None:
    """Runs in a process of its own: (number, nanoseconds of arrival) of every frame, until count or silence."""
    from lab.replaying.interfaces import interface
    from lab.replaying.outlets import opened

    found = interface(spec)
    assert found
    rows = []
    if others := set(range(os.cpu_count() or 1)) - os.sched_getaffinity(0):
        os.sched_setaffinity(0, others)  # it must not take the sender's processor
    with opened(found, listens=True) as one:
        one.setsockopt(socket.SOL_SOCKET, _FORCE, 512 << 20)
        one.setsockopt(socket.SOL_SOCKET, _STAMP_NS, 1)
        one.settimeout(20)
        print("listening", flush=True)
        while len(rows) < count:
            try:
                frame, more, _, _ = one.recvmsg(60, 64)
            except TimeoutError:
                break
            one.settimeout(3)
            seconds, rest = struct.unpack("qq", more[0][2])
            rows.append((int.from_bytes(frame[42:46], "big"), seconds * 1_000_000_000 + rest))
    Path(out).write_bytes(b"".join(struct.pack("<qq", *row) for row in rows))


def own(capture: Path, interface: str, *, flood: bool) -> None:
    from lab.replay import Wishes, plan, replay

    quiet = lambda _done, _total: None  # noqa: E731 - a callback that says nothing
    wishes = Wishes(speed=1e9, cap=1e9) if flood else Wishes()
    replay(plan(capture, wishes, quiet), [interface], (), quiet)


def scapy_sendp(capture: Path, interface: str, *, flood: bool) -> None:
    from scapy.sendrecv import sendp
    from scapy.utils import rdpcap

    sendp(rdpcap(str(capture)), iface=interface, realtime=not flood, verbose=False)


def tcpreplay(capture: Path, interface: str, *, flood: bool) -> None:
    words = ["tcpreplay", "-q", "-K", *(["-t"] if flood else []), "-i", interface, str(capture)]
    subprocess.run(words, check=True, capture_output=True, timeout=BOUND_S)


def senders() -> dict[str, object]:
    found = {"droidrange": own, "scapy sendp": scapy_sendp}
    return found | ({"tcpreplay": tcpreplay} if shutil.which("tcpreplay") else {})


def heard(send: object, capture: Path, wire: object, count: int, *, flood: bool) -> list[tuple[int, int]]:
    """What came out at the far end while a sender sent the capture."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "arrivals"
        words = [sys.executable, __file__, "recorder", wire.far[0].spec, str(out), str(count)]
        listener = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ)
        listener.stdout.readline()
        time.sleep(0.3)
        send(capture, wire.near[0].name, flood=flood)
        listener.wait(timeout=BOUND_S)
        data = out.read_bytes()
    return list(struct.iter_unpack("<qq", data))


def measured(rows: list[tuple[int, int]], capture: Path) -> dict[str, float]:
    """Errors of gaps and drift against the capture's own times; order and loss."""
    import numpy as np

    from lab.replaying.source import read_source

    planned = (read_source(capture).time * 1_000).astype(np.int64)
    number, left = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    due = planned[number] - planned[number[0]]
    came = left - left[0]
    gaps = np.abs(np.diff(came) - np.diff(due)) / 1e3
    return {
        "p50_us": float(np.percentile(gaps, 50)),
        "p99_us": float(np.percentile(gaps, 99)),
        "max_us": float(gaps.max()),
        "drift_ms": float(abs(came[-1] - due[-1])) / 1e6,
        "lost": len(planned) - len(rows),
        "disordered": int(np.count_nonzero(np.diff(number) < 1)),
    }


def main() -> None:
    from lab.replaying import wiring

    name = f"drb{os.getpid() % 10_000}"
    with tempfile.TemporaryDirectory() as folder:
        paced = made(Path(folder) / "paced.pcap", PACKETS, RATE)
        flood = made(Path(folder) / "flood.pcap", FLOOD, RATE)
        small = made(Path(folder) / "small.pcap", FLOOD // 10, RATE)
        wire = wiring.up(name)
        try:
            print(f"load {os.getloadavg()[0]:.1f}, cores {sorted(os.sched_getaffinity(0))}")
            pacing = tell_pacing(paced, wire)
            rates = tell_rates(flood, small, wire)
        finally:
            wiring.down([name])
    held = [f"{key} <= {most:g}: {'held' if pacing[key] <= most else 'NOT HELD'}" for key, most in NEEDED.items()]
    print("; ".join([*held, f"rate >= {NEEDED_RATE:,.0f}: {'held' if rates >= NEEDED_RATE else 'NOT HELD'}"]))


def tell_pacing(paced: Path, wire: object) -> dict[str, float]:
    """Prints the errors of each sender; the medians of our own."""
    rounds: dict[str, list[dict[str, float]]] = {}
    for _ in range(ROUNDS):
        for name, send in senders().items():
            rounds.setdefault(name, []).append(measured(heard(send, paced, wire, PACKETS, flood=False), paced))
    print(f"{PACKETS:,} packets at {RATE:,.0f}/s, {ROUNDS} rounds: gap error p50, p99, max in us; drift in ms; lost")
    for name, found in rounds.items():
        for one in found:
            told = "  ".join(f"{one[key]:10,.1f}" for key in ("p50_us", "p99_us", "max_us", "drift_ms"))
            print(f"{name:12} {told}  {one['lost']:,.0f} lost, {one['disordered']:,.0f} out of order")
    ours = rounds["droidrange"]
    return {key: statistics.median(one[key] for one in ours) for key in NEEDED}


def tell_rates(flood: Path, small: Path, wire: object) -> float:
    """Prints how fast each sender is as fast as it can; the median of our own."""
    rounds: dict[str, list[tuple[float, int]]] = {}
    for _ in range(ROUNDS):
        for name, send in senders().items():
            capture, count = (small, FLOOD // 10) if name == "scapy sendp" else (flood, FLOOD)
            rows = heard(send, capture, wire, count, flood=True)
            took = (rows[-1][1] - rows[0][1]) / 1e9
            rounds.setdefault(name, []).append(((len(rows) - 1) / took, count - len(rows)))
    print(f"as fast as it can, {SIZE}-byte frames: packets/s at the far end; lost there")
    for name, found in rounds.items():
        print(f"{name:12} " + "  ".join(f"{rate:10,.0f} ({lost:,} lost)" for rate, lost in found))
    return statistics.median(rate for rate, _ in rounds["droidrange"])


if __name__ == "__main__":
    if sys.argv[1:2] == ["recorder"]:
        recorder(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()
