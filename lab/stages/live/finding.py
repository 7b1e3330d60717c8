"""A lab that another process brought up, found again by its labels."""

from __future__ import annotations

import time
from ipaddress import IPv4Network
from typing import Any

from lab.errors import StageError
from lab.stages.live.engine import Engine, Session, connect, find_labs, sessions
from lab.stages.live.engine.images import image_tag
from lab.stages.live.livelab import Handset, LiveLab
from lab.stages.live.wiring import handset_name, place


def attach(name: str | None = None) -> LiveLab | None:
    """The lab of that id, or the only one, of those that were brought up to stay; None if there is none.

    LookupError for an unknown id, a lab of a recording, or several to choose from; StageError if a part of it is gone.
    """
    engine = connect()
    # a lab without a folder here was brought up under another state folder: it is somebody else's
    known = {lab.id: lab.kept for lab in find_labs(engine) if lab.folder and lab.wanted(time.time())}
    kept = [one for one, stays in known.items() if stays]
    if name is None and not kept:
        return None
    if name is None and len(kept) > 1:
        raise LookupError(f"{len(kept)} labs are up: {', '.join(sorted(kept))}; choose one with --lab")
    chosen = name or kept[0]
    if chosen not in kept:
        what = f"lab {chosen} is of a recording under way" if chosen in known else f"no lab {chosen!r}"
        raise LookupError(f"{what}; up are: {', '.join(sorted(kept)) or 'none'} (droidrange lab status)")
    return _found(engine, next(one for one in sessions() if one.id == chosen))


def current(name: str, container: Any) -> bool:
    """Whether a container runs the image that today's sources make."""
    role = {"strangers": "servers"}.get(name, "handset" if name.startswith("handset-") else name)
    made_of: str = container.attrs["Config"]["Image"]
    return made_of == image_tag(role)


def _found(engine: Engine, session: Session) -> LiveLab:
    by_name = {str(c.name): c for c in engine.containers(session)}
    roles = {name.removeprefix(session.full_name("")): c for name, c in by_name.items()}
    missing = [role for role in ("gateway", "servers", "strangers") if role not in roles]
    # sensors end with every run, and each run brings its own
    dead = [name for name, one in roles.items() if one.status != "running" and not name.startswith("sensor-")]
    old = [name for name, one in roles.items() if not name.startswith("sensor-") and not current(name, one)]
    if old and not missing + dead:
        raise StageError(
            f"lab {session.id} was brought up by other sources than these ({', '.join(sorted(old))}); "
            f"droidrange lab down, then lab up again"
        )
    if missing or dead:
        raise StageError(
            f"lab {session.id}: {', '.join(missing + dead)} not running; droidrange lab down, then lab up again"
        )
    networks = engine.client.networks.list(filters={"label": f"droidrange.lab={session.id}"})
    subnet = IPv4Network(networks[0].attrs["IPAM"]["Config"][0]["Subnet"])
    count = sum(name.startswith("handset-") for name in roles)
    handsets = tuple(
        Handset(
            index,
            roles[handset_name(index)],
            place(subnet, "handset", index),
        )
        for index in range(count)
    )
    return LiveLab(
        engine, session, subnet, {role: roles[role] for role in ("gateway", "servers", "strangers")}, handsets
    )
