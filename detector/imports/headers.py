"""What the smallest headers leave of a count of bytes that includes them.

Sensors that count whole packets (NetFlow: IP; PCAPdroid: IP; Suricata: frames) do not say how much of it was payload.
IP without options has 20 or 40 bytes (RFC 791, RFC 8200), TCP at least 20 (RFC 9293), UDP and ICMP 8 (RFC 768, 792),
so what is left is exact for UDP and too much for TCP by its options: 12 bytes a packet with timestamps (RFC 7323).
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

ETHERNET = 14


def payload(octets: Any, packets: Any, proto: Any, address: Any, *, frame: int = 0) -> Any:
    """Payload bytes of packets of that protocol and family; null where octets or packets are.

    >>> told = [pa.array(one) for one in ([150, None, 40], [3, 1, 1], ["udp", "udp", "tcp"], ["10.0.0.1"] * 3)]
    >>> payload(*told).to_pylist()
    [66, None, 0]
    """
    six = pc.fill_null(pc.match_substring(address, ":"), False)
    transport = pc.if_else(pc.fill_null(pc.equal(proto, "tcp"), False), 20, 8)
    header = pc.add(pc.add(pc.if_else(six, 40, 20), transport), frame)
    left = pc.subtract(octets, pc.multiply(packets, header))
    return pc.if_else(pc.less(left, 0), 0, left).cast(pa.int64())
