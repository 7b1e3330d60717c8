"""Sets up the network namespace it runs in, as specified: rules first, then links, addresses and routes.

``python3 -m lab.stages.live.topology.image.netns SPEC`` with SPEC the JSON of a Spec; needs NET_ADMIN. Run again with
another SPEC it changes what differs. Prints one JSON line. Exit code 1 and the reason on stderr if it could not.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

from lab.stages.live.topology.image.links import MTU, Present, fdb_commands, ip_commands
from lab.stages.live.topology.image.rules import ruleset
from lab.stages.live.topology.image.spec import Spec

# with these off a captured frame is a frame as on a wire: at most MTU long, checksums computed
OFFLOADS = ("tx", "rx", "sg", "tso", "gso", "gro")
_LONG_NAMES = {
    "tx-checksumming": "tx",
    "tcp-segmentation-offload": "tso",
    "generic-segmentation-offload": "gso",
    "generic-receive-offload": "gro",
}


def run(*words: str, text: str = "") -> str:
    """What a command prints; RuntimeError with its words and complaint if it fails."""
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def present() -> Present:
    """The namespace as it is."""
    links = json.loads(run("ip", "-j", "-d", "-4", "addr", "show"))
    every = json.loads(run("ip", "-j", "-d", "link", "show"))
    addresses = {link["ifname"]: link.get("addr_info", []) for link in links}
    whole = [{**link, "addr_info": addresses.get(link["ifname"], [])} for link in every]
    routes = json.loads(run("ip", "-j", "-4", "route", "show", "table", "all") or "[]")
    return Present(whole, routes, json.loads(run("bridge", "-j", "fdb", "show") or "[]"))


def set_up(spec: Spec) -> dict[str, Any]:
    """Makes it so; what was done, and which offloads could not be switched off."""
    begun = time.monotonic()
    before = present()
    device = before.underlay_device(spec.underlay)
    run("nft", "-f", "-", text=ruleset(spec, device))
    lines = ip_commands(spec, before)
    if lines:
        run("ip", "-batch", "-", text="\n".join(lines) + "\n")
    lines = fdb_commands(spec, before)
    if lines:
        run("bridge", "-batch", "-", text="\n".join(lines) + "\n")
    still_on = {name: wire_like(name) for name in (device, *(overlay.name for overlay in spec.overlays))}
    took_ms = round(1000 * (time.monotonic() - begun), 1)
    return {"role": spec.role, "device": device, "mtu": MTU, "offloads_on": still_on, "took_ms": took_ms}


def wire_like(name: str) -> list[str]:
    """Switches an interface's offloads off; the ones that stay on. An overlay with none left has frames up to MTU."""
    words = [word for offload in OFFLOADS for word in (offload, "off")]
    subprocess.run(("ethtool", "-K", name, *words), capture_output=True, check=False, timeout=10)  # noqa: S603, S607
    rows = [line.split(":") for line in run("ethtool", "-k", name).splitlines() if ":" in line]
    return [_LONG_NAMES[row[0]] for row in rows if row[0] in _LONG_NAMES and row[1].split()[:1] == ["on"]]


def main(words: list[str]) -> int:
    """The command line."""
    try:
        (text,) = words
        print(json.dumps(set_up(Spec.from_json(text))), flush=True)  # noqa: T201 - its output
    except (RuntimeError, LookupError, ValueError, TypeError, OSError, subprocess.TimeoutExpired) as fault:
        print(f"network not set up: {fault}", file=sys.stderr)  # noqa: T201 - its output
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
