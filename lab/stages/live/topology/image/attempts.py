"""Attempts to get out of a lab, made from inside a container: what each target gave back, no verdict on it.

Standard library only and no import of ours: the text of this file is handed to ``python3 -c`` in containers that do not
have it. Argument: JSON {"attempts": [{"how", "host", "port", "say"}], "timeout_s"}; prints a JSON list, in order, of
{"connected", "said" (bytes as latin-1), "saw"}. ``how``: tcp, udp, raw, packet, route.
"""

import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_READ = 2048


def main(text: str) -> None:
    """Makes all attempts at once."""
    wanted = json.loads(text)
    timeout_s = float(wanted["timeout_s"])
    with ThreadPoolExecutor(max_workers=max(1, len(wanted["attempts"]))) as pool:
        found = list(pool.map(lambda one: _made(one, timeout_s), wanted["attempts"]))
    print(json.dumps(found))  # noqa: T201 - its output


def _made(attempt: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    result: dict[str, Any] = {"connected": False, "said": "", "saw": ""}
    try:
        _HOW[attempt["how"]](attempt, timeout_s, result)
    except TimeoutError:
        result["saw"] = "no answer"
    except OSError as fault:
        result["saw"] = fault.strerror or str(fault)
    return result


def _tcp(attempt: dict[str, Any], timeout_s: float, result: dict[str, Any]) -> None:
    with socket.create_connection((attempt["host"], attempt["port"]), timeout_s) as opened:
        result |= {"connected": True, "saw": "connected"}
        opened.sendall(attempt["say"].encode("latin-1"))
        result["said"] = opened.recv(_READ).decode("latin-1")


def _udp(attempt: dict[str, Any], timeout_s: float, result: dict[str, Any]) -> None:
    family = socket.AF_INET6 if ":" in attempt["host"] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as opened:
        opened.settimeout(timeout_s)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        opened.sendto(attempt["say"].encode("latin-1"), (attempt["host"], attempt["port"]))
        result["said"] = opened.recv(_READ).decode("latin-1")
        result["saw"] = "answered"


def _raw(_attempt: dict[str, Any], _timeout_s: float, result: dict[str, Any]) -> None:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
    result |= {"connected": True, "saw": "opened"}


def _packet(_attempt: dict[str, Any], _timeout_s: float, result: dict[str, Any]) -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    result |= {"connected": True, "saw": "opened"}


def _route(attempt: dict[str, Any], timeout_s: float, result: dict[str, Any]) -> None:
    words = ["ip", "route", "replace", "203.0.113.0/24", "via", attempt["host"]]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=timeout_s)  # noqa: S603
    result |= {"connected": done.returncode == 0, "saw": done.stderr.strip() or "route changed"}


_HOW = {"tcp": _tcp, "udp": _udp, "raw": _raw, "packet": _packet, "route": _route}

if __name__ == "__main__":
    main(sys.argv[1])
