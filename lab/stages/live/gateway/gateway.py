"""The gateway's container as the host starts it: arguments for ``Engine.run``, and the authority phones must trust."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

from lab.protocols.handshakes.certificates import Authority
from lab.stages.live.topology.addresses import sysctls

ROLE = "gateway"
DAYS = 7  # a lab's authority lives longer than any lab and not much longer
# rules; capturing; leaving root for mitmproxy and tcpdump, with nothing in their bounding sets; ending them
CAPS = ("NET_ADMIN", "NET_RAW", "SETUID", "SETGID", "SETPCAP", "KILL")
AUTHORITY = "gateway-ca.pem"
# mitmproxy_rs takes a thread of its own for every UDP conversation that ends at the same moment: 82 of them in a second
# were measured, and what is tried in this container then (the certificate) could neither fork nor start a thread
PIDS = 1024


def run_arguments(*, address: str, host: str, rec: Path, plan: Path, pki: Path) -> dict[str, Any]:
    """Arguments of ``Engine.run`` besides session, role, image, name and ``network``.

    ``address`` and ``host`` are on the underlay. ``rec`` gets captures, ``plan`` holds runs' folders, ``pki`` has what
    ``make_authority`` wrote: the three are mounted, only ``rec`` to be written.
    """
    binds = {rec: ("/rec", "rw"), plan: ("/plan", "ro"), pki: ("/pki", "ro")}
    return {
        "address": address,
        "command": ["--address", address, "--host", host],
        "caps": CAPS,
        "sysctls": sysctls(ROLE),
        "tmpfs": {"/run": "size=16m,noexec,nosuid,nodev"},
        "volumes": {str(source): {"bind": target, "mode": mode} for source, (target, mode) in binds.items()},
        "mem_limit": "512m",
        "pids_limit": PIDS,
        "hostname": "gateway",
    }


def make_authority(pki: Path, now: dt.datetime) -> bytes:
    """Makes the authority that mitmproxy signs with, key and certificate in one file (0600): the certificate, PEM.

    Valid from an hour before ``now`` for DAYS days. FileExistsError if the lab has one already.
    """
    made = Authority("droidrange gateway", (now - dt.timedelta(hours=1), now + dt.timedelta(days=DAYS, hours=-1))).own
    file = os.open(pki / AUTHORITY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as opened:
        opened.write(made.key + made.certificate)
    return made.certificate
