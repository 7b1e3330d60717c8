"""The benchmark's capture: 2 million packets of DNS, TLS and HTTP flows with valid checksums.

Shares as in the performance notes: of 60,000 flows 42 % DNS, 53 % TLS with SNI and ALPN, 5 % HTTP; mean frame about
750 bytes. Every payload length is even, so that checksums are sums over one aligned array of 16-bit words.
"""

from __future__ import annotations

import argparse
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from first_messages import MSS, client_hello, dns_pair, http_pair, server_hello  # a plain script's neighbour

START_S = 1_772_409_600
SPAN_US = 3_600_000_000
DNS, TLS, HTTP = 0, 1, 2
FILL, FIRST_UP, FIRST_DOWN = 0, 1, 2  # what the payload of a packet is
SYN, SYN_ACK, ACK, PSH, FIN = 0x02, 0x12, 0x10, 0x18, 0x11
HEAD = np.dtype(
    [
        ("sec", "<u4"),
        ("usec", "<u4"),
        ("caplen", "<u4"),
        ("len", "<u4"),
        ("dst_mac", "u1", 6),
        ("src_mac", "u1", 6),
        ("ethertype", ">u2"),
        ("ver_ihl_tos", ">u2"),
        ("total", ">u2"),
        ("ident", ">u2"),
        ("fragment", ">u2"),
        ("ttl_proto", ">u2"),
        ("ip_sum", ">u2"),
        ("src", ">u4"),
        ("dst", ">u4"),
        ("sport", ">u2"),
        ("dport", ">u2"),
        ("tail", "u1", 16),
    ]
)
TCP_TAIL = np.dtype(
    [("seq", ">u4"), ("ack", ">u4"), ("offset_flags", ">u2"), ("window", ">u2"), ("sum", ">u2"), ("urgent", ">u2")]
)


@dataclass(frozen=True)
class Script:
    """The packets of one kind of flow, in order: arrays of equal length."""

    down: NDArray[np.bool_]
    flags: NDArray[np.uint8]
    size: NDArray[np.int64]  # payload bytes; 0 where content is FIRST_* (its own length counts)
    content: NDArray[np.uint8]
    gap_us: NDArray[np.int64]


def tcp_script(rng: np.random.Generator, exchanges: int) -> Script:
    """Handshake, the first request and answer, then exchanges of one request and several segments, then FIN."""
    rows = [(False, SYN, 0, FILL, 0), (True, SYN_ACK, 0, FILL, 30_000), (False, ACK, 0, FILL, 200)]
    rows += [(False, PSH, 0, FIRST_UP, 900), (True, PSH, 0, FIRST_DOWN, 30_000), (False, ACK, 0, FILL, 150)]
    for _ in range(exchanges):
        rows.append((False, PSH, 2 * int(rng.integers(40, 400)), FILL, int(rng.exponential(800_000))))
        rows.append((True, ACK, 0, FILL, 30_000))
        segments = 2 + int(rng.geometric(0.2))
        for number in range(segments):
            last = number == segments - 1
            rows.append((True, PSH if last else ACK, 2 * int(rng.integers(20, 700)) if last else MSS, FILL, 400))
            if number % 2 or last:
                rows.append((False, ACK, 0, FILL, 100))
    rows += [(False, FIN, 0, FILL, 50_000), (True, FIN, 0, FILL, 30_000), (False, ACK, 0, FILL, 100)]
    return _script(rows)


def _script(rows: list[tuple[bool, int, int, int, int]]) -> Script:
    down, flags, size, content, gap = (np.array(column) for column in zip(*rows, strict=True))
    return Script(down.astype(bool), flags.astype(np.uint8), size, content.astype(np.uint8), gap)


@dataclass(frozen=True)
class Flows:
    """The flows to write: kind, addresses, ports, and the first payload of each direction."""

    kind: NDArray[np.int64]
    script: NDArray[np.int64]
    start_us: NDArray[np.int64]
    client: NDArray[np.uint32]
    server: NDArray[np.uint32]
    client_port: NDArray[np.uint16]
    server_port: NDArray[np.uint16]
    first: tuple[list[bytes], list[bytes]]


def make_flows(rng: np.random.Generator, count: int, scripts: int) -> Flows:
    """``count`` flows in random order over one hour, from 200 devices to 4,000 servers."""
    kind = rng.choice([DNS, TLS, HTTP], size=count, p=[0.42, 0.53, 0.05])
    server_index = rng.integers(0, 4_000, count)
    server = np.where(kind == DNS, 0xC612_0035, 0xC612_0100 + server_index).astype(np.uint32)
    names = [f"{'abc'[i % 3]}{'x' * (i % 2)}{i:05d}.example" for i in range(4_000)]
    ups, downs = [], []
    hello = server_hello(rng)
    for number in range(count):
        name = names[server_index[number]]
        if kind[number] == DNS:
            even = name if len(name) % 2 == 0 else "w" + name
            up, down = dns_pair(
                even, *rng.integers(1, 65_536, 2).tolist(), int(0xC612_0100 + server_index[number]).to_bytes(4, "big")
            )
            pad = len(up) % 2
            assert not pad, even
        elif kind[number] == TLS:
            up, down = client_hello(name, rng), hello
        else:
            up, down = http_pair(name, number)
        ups.append(up)
        downs.append(down)
    return Flows(
        kind=kind,
        script=np.where(kind == DNS, 0, 1 + rng.integers(0, scripts - 1, count)),
        start_us=np.sort(rng.integers(0, SPAN_US, count)),
        client=(0x0A58_0001 + rng.integers(0, 200, count)).astype(np.uint32),
        server=server,
        client_port=(32_768 + np.arange(count) * 7 % 28_000).astype(np.uint16),
        server_port=np.choose(kind, [53, 443, 80]).astype(np.uint16),
        first=(ups, downs),
    )


def make_capture(path: Path, packets: int = 2_000_000, flows: int = 60_000, seed: int = 1) -> int:
    """Write the capture and give the number of its packets, about ``packets``."""
    rng = np.random.default_rng(seed)
    per_tcp = (packets - 0.84 * flows) / (0.58 * flows)
    exchanges = max(1.0, (per_tcp - 9) / 12.1)
    dns = _script([(False, 0, 0, FIRST_UP, 0), (True, 0, 0, FIRST_DOWN, 15_000)])
    scripts = [dns, *(tcp_script(rng, int(rng.geometric(1 / exchanges))) for _ in range(2_000))]
    table = make_flows(rng, flows, len(scripts))
    lengths = np.array([len(script.down) for script in scripts])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    counts = lengths[table.script]
    flow = np.repeat(np.arange(flows), counts)
    base = np.repeat(np.cumsum(counts) - counts, counts)
    row = starts[table.script][flow] + np.arange(len(flow)) - base
    columns = {
        name: np.concatenate([getattr(script, name) for script in scripts])[row]
        for name in ("down", "flags", "size", "content", "gap_us")
    }
    first_up = np.array([len(data) for data in table.first[0]])
    first_down = np.array([len(data) for data in table.first[1]])
    size = np.where(columns["content"] == FIRST_UP, first_up[flow], columns["size"])
    size = np.where(columns["content"] == FIRST_DOWN, first_down[flow], size)
    columns["size"] = size
    consumed = size + ((columns["flags"] & 3) != 0)
    own = [_running(np.where(columns["down"] == side, consumed, 0), base) for side in (False, True)]
    isn = rng.integers(0, 2**32, (2, flows))
    sequence = [(own[side] + isn[side][flow]) & 0xFFFF_FFFF for side in (0, 1)]
    columns["seq"] = np.where(columns["down"], sequence[1], sequence[0])
    columns["ack"] = np.where(columns["down"], sequence[0], sequence[1])
    time = table.start_us[flow] + _running(columns["gap_us"], base) + columns["gap_us"]
    order = np.argsort(time, kind="stable")
    columns = {name: column[order] for name, column in columns.items()} | {"time": time[order], "flow": flow[order]}
    _write(path, columns, table, rng)
    return len(order)


def _running(values: NDArray[np.int64], base: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum of a flow's values before each packet; ``base`` is the index of the flow's first packet."""
    before = np.cumsum(values) - values
    return before - before[base]


def _write(path: Path, columns: dict[str, NDArray], table: Flows, rng: np.random.Generator) -> None:
    pool = np.frombuffer(rng.bytes(64 << 20), np.uint8)
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        for begin in range(0, len(columns["time"]), 50_000):
            chunk = {name: column[begin : begin + 50_000] for name, column in columns.items()}
            file.write(_chunk(chunk, table, pool, int(rng.integers(1 << 19)) * 2).data)


def _chunk(chunk: dict[str, NDArray], table: Flows, pool: NDArray, shift: int) -> NDArray:
    """The bytes of some records: random filling, headers over it, first payloads, checksums last."""
    udp = table.kind[chunk["flow"]] == DNS
    header = np.where(udp, 58, 70)  # record header, Ethernet, IPv4, UDP or TCP
    total = header + chunk["size"]
    offset = np.cumsum(total) - total
    out = np.resize(pool[shift:], int(total.sum()))
    heads = _heads(chunk, table, udp)
    for which, width in ((udp, 58), (~udp, 70)):
        places = np.ndarray((len(out) - width + 1,), f"V{width}", out.data, strides=(1,))
        rows = np.ascontiguousarray(heads.view(np.uint8).reshape(-1, HEAD.itemsize)[which][:, :width])
        places[offset[which]] = rows.view(f"V{width}").ravel()
    for side, content in ((0, FIRST_UP), (1, FIRST_DOWN)):
        rows = np.flatnonzero(chunk["content"] == content)
        begins = (offset + header)[rows].tolist()
        for begin, flow in zip(begins, chunk["flow"][rows].tolist(), strict=True):
            data = table.first[side][flow]
            out[begin : begin + len(data)] = np.frombuffer(data, np.uint8)
    _checksum(out, offset, header, chunk["size"], heads, udp)
    return out


def _heads(chunk: dict[str, NDArray], table: Flows, udp: NDArray) -> NDArray:
    flow, down = chunk["flow"], chunk["down"]
    heads = np.zeros(len(flow), HEAD)
    length = chunk["size"] + np.where(udp, 42, 54)
    heads["sec"] = START_S + chunk["time"] // 1_000_000
    heads["usec"] = chunk["time"] % 1_000_000
    heads["caplen"] = heads["len"] = length
    heads["dst_mac"] = heads["src_mac"] = [2, 0, 0, 0, 0, 1]
    heads["ethertype"], heads["ver_ihl_tos"], heads["fragment"] = 0x0800, 0x4500, 0x4000
    heads["total"] = length - 14
    heads["ident"] = np.arange(len(flow)) & 0xFFFF
    heads["ttl_proto"] = 0x4000 + np.where(udp, 17, 6)
    for name, ours, theirs in (("src", table.client, table.server), ("dst", table.server, table.client)):
        heads[name] = np.where(down, theirs[flow], ours[flow])
    for name, ours, theirs in (
        ("sport", table.client_port, table.server_port),
        ("dport", table.server_port, table.client_port),
    ):
        heads[name] = np.where(down, theirs[flow], ours[flow])
    tail = np.zeros(len(flow), TCP_TAIL)
    tail["seq"], tail["ack"] = chunk["seq"], np.where(chunk["flags"] & ACK, chunk["ack"], 0)
    tail["offset_flags"] = 0x5000 + chunk["flags"].astype(np.int64)
    tail["window"] = 64_000
    heads["tail"] = tail.view(np.uint8).reshape(-1, 16)
    heads["tail"][udp, 0] = (chunk["size"][udp] + 8) >> 8
    heads["tail"][udp, 1] = (chunk["size"][udp] + 8) & 0xFF
    heads["tail"][udp, 2:] = 0
    words = heads.view(np.uint8).reshape(-1, HEAD.itemsize)[:, 30:50].copy().view(">u2").astype(np.int64).sum(axis=1)
    heads["ip_sum"] = _folded(words)
    return heads


def _checksum(out: NDArray, offset: NDArray, header: NDArray, size: NDArray, heads: NDArray, udp: NDArray) -> None:
    """Write TCP and UDP checksums (RFC 1071) over the pseudo-header, the header and the payload."""
    words = out.view(">u2")
    running = np.concatenate([[0], np.cumsum(words, dtype=np.int64)])
    begin, end = (offset + 50) // 2, (offset + header + size) // 2
    total = running[end] - running[begin]
    addresses = sum((heads[name].astype(np.int64) >> bits) & 0xFFFF for name in ("src", "dst") for bits in (0, 16))
    total = total + addresses + np.where(udp, 17, 6) + (header - 50 + size)
    value = _folded(total)
    words[np.where(udp, offset + 56, offset + 66) // 2] = np.where(udp & (value == 0), 0xFFFF, value)


def _folded(total: NDArray) -> NDArray:
    for _ in range(3):
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


def main() -> None:
    """Write a capture from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--flows", type=int, default=60_000)
    given = parser.parse_args()
    print(make_capture(given.path, given.packets, given.flows), "packets")


if __name__ == "__main__":
    main()
