"""How the servers' and the strangers' containers are run: arguments as data, nothing is started here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROLES = ("servers", "strangers")
IMAGE = "servers"  # both roles have one
UID = 10200  # in the image
PLANS = "/plan"
MEMORY = "512m"
_TMP = {"/tmp": "size=64m,mode=1777,nosuid,nodev"}  # noqa: S108 - inside the container; daemons keep their files there


def arguments(role: str, plans: Path, *, address: str, host: str, gateway: str) -> dict[str, Any]:
    """Arguments for ``Engine.run`` beside role, image, name and network.

    ``plans`` is the host's folder of plan folders; ``address``: the container's on the underlay, where its control port
    is; ``host``: the only one who may ask it; ``gateway``: where mitmproxy's connections come from. ValueError: a role
    that is not one of ROLES.
    """
    if role not in ROLES:
        raise ValueError(f"role {role!r}: expected one of {', '.join(ROLES)}")
    command = ["--role", role, "--address", address, "--host", host, "--gateway", gateway]
    return {
        "command": command,
        "user": f"{UID}:{UID}",
        "volumes": {str(plans): {"bind": PLANS, "mode": "ro"}},
        "tmpfs": _TMP,
        "mem_limit": MEMORY,
        "pids_limit": 1024,
        "address": address,
    }
