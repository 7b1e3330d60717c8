"""Injection into a big background: seconds, peak memory, and whether the background's bytes are all there.

Makes its own background (TCP flows of a few hosts, 5 million packets unless told otherwise), injects a recording into
it in a process of its own, and compares. Exit 1 if the limits of issue 8 are broken: 60 s and 500 MB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LIMIT_S, LIMIT_MB = 60.0, 500.0
BLOCK = 1 << 18
HEAD = np.dtype(
    [
        *(("sec", "<u4"), ("usec", "<u4"), ("caplen", "<u4"), ("len", "<u4")),
        *(("macs", "u1", 12), ("ethertype", ">u2"), ("ver_tos", ">u2"), ("total", ">u2"), ("ident", ">u2")),
        *(("fragment", ">u2"), ("ttl", "u1"), ("proto", "u1"), ("sum", ">u2"), ("src", ">u4"), ("dst", ">u4")),
        *(("sport", ">u2"), ("dport", ">u2"), ("seq", ">u4"), ("ack", ">u4"), ("offset", "u1"), ("flags", "u1")),
        *(("window", ">u2"), ("check", ">u2"), ("urgent", ">u2")),
    ]
)


def make(path: Path, packets: int, payload: int, per_flow: int) -> None:
    """A background of 8 phones: so many packets of so much payload, so many of them a flow."""
    rng = np.random.default_rng(1)
    with path.open("wb") as file:
        file.write(np.array([0xA1B2C3D4, 0x00040002, 0, 0, 262_144, 1], "<u4").tobytes())
        for begin in range(0, packets, BLOCK):
            file.write(_block(rng, np.arange(begin, min(packets, begin + BLOCK)), payload, per_flow))


def _block(rng: np.random.Generator, number: NDArray[np.int64], payload: int, per_flow: int) -> bytes:
    pair = np.zeros(len(number), np.dtype([("head", HEAD), ("body", "u1", payload)]))
    head, flow = pair["head"], number // per_flow
    up, when = number % 2 == 0, number * 700
    head["sec"], head["usec"] = 1_793_000_000 + when // 1_000_000, when % 1_000_000
    head["caplen"] = head["len"] = HEAD.itemsize - 16 + payload
    phone, host = 0xC0A80714 + flow % 8, 0x5DB80000 + flow * 7_919 % 60_000
    head["macs"][:, 5], head["macs"][:, 11] = 1 + ~up, 1 + up
    head["ethertype"], head["ver_tos"], head["total"] = 0x800, 0x4500, HEAD.itemsize - 30 + payload
    head["ident"], head["fragment"] = (flow * 977 + number) & 0xFFFF, 0x4000
    head["ttl"], head["proto"] = np.where(up, 64, 50 + host % 9), 6
    head["src"], head["dst"] = np.where(up, phone, host), np.where(up, host, phone)
    port = 32_768 + flow // 8 % 28_000
    head["sport"], head["dport"] = np.where(up, port, 443), np.where(up, 443, port)
    head["seq"], head["offset"] = number % per_flow * payload, 0x50
    head["flags"], head["window"] = np.where(number % per_flow == 0, 2, 16), rng.choice([131, 229, 501], len(number))
    return pair.tobytes()


def same(background: Path, merged: Path, injected: int) -> bool:
    """Whether the merged capture is the background with so many packets more, frame by frame, in order."""
    wanted, found = background.read_bytes(), memoryview(merged.read_bytes())
    size = HEAD.itemsize + int.from_bytes(wanted[32:36], "little") - HEAD.itemsize + 16
    mine, at, place = 0, 24, 24
    while place < len(found):
        length = 16 + int.from_bytes(found[place + 8 : place + 12], "little")
        if length == size and found[place : place + length] == wanted[at : at + size]:
            at += size
        else:
            mine += 1
        place += length
    return at == len(wanted) and mine == injected


def main() -> int:
    """Make, inject, compare, print."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("recording", type=Path)
    ask.add_argument("--packets", type=int, default=5_000_000)
    ask.add_argument("--payload", type=int, default=400)
    ask.add_argument("--per-flow", type=int, default=40)
    given = ask.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        background, out = Path(folder) / "background.pcap", Path(folder) / "merged"
        make(background, given.packets, given.payload, given.per_flow)
        code = "from lab.cli import main; main()"
        command = [sys.executable, "-c", code, "inject", str(given.recording), "--into", str(background)]
        begin = time.monotonic()
        said = subprocess.run([*command, "-o", str(out), "--json"], check=True, capture_output=True)
        seconds = time.monotonic() - begin
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        megabytes, busy = used.ru_maxrss / 1024, used.ru_utime + used.ru_stime
        count = json.loads(said.stdout)["packets"]
        whole = same(background, out / "telemetry/capture.pcap", count)
        size = background.stat().st_size / 1e9
    print(f"{given.packets:,} packets ({size:.2f} GB) + {count:,} injected: {seconds:.1f} s, ")
    print(f"of them {busy:.1f} s of processor time; {megabytes:.0f} MB peak")
    print("background byte-identical and in order" if whole else "BACKGROUND CHANGED")
    return 0 if whole and seconds <= LIMIT_S and megabytes <= LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(main())
