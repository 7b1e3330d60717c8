"""What labs there are, for people and for JSON, and their end on request."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.console import emit
from lab.stages.live.engine import Engine, connect, find_labs, remove_old_images
from lab.stages.live.engine.labs import Lab
from lab.stages.live.lifecycle import clean, down
from lab.stages.live.topology.image.rules import ADB_PORT


def statuses() -> list[dict[str, Any]]:
    """Every lab of this machine, by id; see ``status_of``."""
    engine = connect()
    return [_row(engine, lab) for lab in find_labs(engine)]


def status_of(engine: Engine, name: str) -> dict[str, Any]:
    """One lab: whether it is wanted, its containers' states, its handsets' adb addresses. LookupError: none such."""
    for lab in find_labs(engine):
        if lab.id == name:
            return _row(engine, lab)
    raise LookupError(f"no lab {name!r}")


def print_status(rows: Sequence[dict[str, Any]]) -> None:
    """The labs on stdout, one a paragraph."""
    if not rows:
        emit("no lab is up (droidrange lab up --devices 1)")
    for row in rows:
        left = "" if row["wanted"] else "  left behind: droidrange lab clean"
        left += "" if row["own"] else "  brought up under another state folder ($XDG_STATE_HOME)"
        emit(f"lab {row['lab']}  {'stays' if row['kept'] else 'of a recording'} until {row['expires']}{left}")
        for name, state in row["containers"].items():
            adb = next((phone["adb"] for phone in row["handsets"] if phone["name"] == name), None)
            emit(f"  {name:24} {state}" + (f"   adb connect {adb}" if adb else ""))


def own_labs(engine: Engine) -> list[str]:
    """The ids of the labs of this state folder that were brought up to stay and are wanted still."""
    return [lab.id for lab in find_labs(engine) if lab.kept and lab.folder and lab.wanted(time.time())]


def taken_down(names: Sequence[str] | None, *, force: bool = False) -> tuple[list[str], list[Path]]:
    """Takes down these labs, or all of this state folder that were brought up to stay; LookupError: no such id.

    Returns (their ids, where the captures are that no recording has). StageError: one is playing, and no ``force``.
    """
    engine = connect()
    known = find_labs(engine)
    chosen = list(names or [lab.id for lab in known if lab.kept and lab.folder])
    unknown = sorted(set(chosen) - {lab.id for lab in known})
    if unknown:
        raise LookupError(f"no lab {', '.join(unknown)}; there are {', '.join(lab.id for lab in known) or 'none'}")
    return chosen, down(engine, chosen, force=force)


def cleaned(*, images: bool = False) -> tuple[list[str], list[Path], list[str]]:
    """Removes every lab that nobody wants any more, then if asked our images that other sources made.

    Returns (labs' ids, where the captures are that no recording has, images' tags).
    """
    engine = connect()
    swept, saved = clean(engine)
    return list(swept.labs), saved, remove_old_images(engine) if images else []


def _row(engine: Engine, lab: Lab) -> dict[str, Any]:
    prefix = f"droidrange-{lab.id}-"
    containers = {}
    handsets = []
    for one in engine.client.api.containers(all=True, filters={"label": f"droidrange.lab={lab.id}"}):
        name = one["Names"][0].removeprefix("/").removeprefix(prefix)
        between = name.startswith("sensor-") and one["State"] == "exited"  # it ends with its run, the next brings one
        containers[name] = "idle" if between else one["State"]
        if one["Labels"].get("droidrange.role") == "handset":
            (network,) = one["NetworkSettings"]["Networks"].values()
            handsets.append({"name": name, "adb": f"{network['IPAddress']}:{ADB_PORT}"})
    return {
        "lab": lab.id,
        "kept": lab.kept,
        "own": lab.folder is not None,
        "wanted": lab.wanted(time.time()),
        "expires": datetime.fromtimestamp(lab.expires, UTC).isoformat(timespec="seconds"),
        "containers": dict(sorted(containers.items())),
        "handsets": sorted(handsets, key=lambda phone: str(phone["name"])),
    }
