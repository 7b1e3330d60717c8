"""Sweeping: everything of a lab removed, whatever state it was left in, and nothing that is not ours.

What is ours says so by the label ``droidrange.lab``, never by a name. The folder goes last, when the engine has shown
that nothing is left.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lab.errors import StageError
from lab.stages.live.engine.engine import FAULTS, Engine, gone, told
from lab.stages.live.engine.labs import Lab, find_labs, stale
from lab.stages.live.engine.session import unsettled

_ROUNDS, _PAUSE_S, _AT_ONCE = 6, 0.2, 4
_PATIENCE_S = 2.0  # how long an object may still appear whose creator died before the engine answered


@dataclass(frozen=True)
class Swept:
    """What was removed: labs' ids, and how many of each kind."""

    labs: tuple[str, ...]
    containers: int
    networks: int
    folders: int


def sweep(engine: Engine, ids: Collection[str] | None = None, *, patience_s: float = _PATIENCE_S) -> Swept:
    """Removes the labs ``ids``; if None those that are expired or whose owner is dead. Twice does no harm.

    StageError names what the engine would not give up; the folder stays then, and the next sweep tries again.
    """
    chosen = stale(engine) if ids is None else [lab for lab in find_labs(engine) if lab.id in ids]
    _await_unborn(engine, chosen, patience_s)
    names = {lab.id for lab in chosen}
    counts = [0, 0]
    faults: list[str] = []
    for turn in range(_ROUNDS):
        left = [lab for lab in find_labs(engine) if lab.id in names and (lab.containers or lab.networks)]
        if not left:
            break
        time.sleep(turn * _PAUSE_S)  # somebody else's removal may be under way
        faults = []
        counts[0] += _containers(engine, [name for lab in left for name in lab.containers], faults)
        counts[1] += _networks(engine, [name for lab in left for name in lab.networks], faults)
    else:
        raise StageError("the engine kept things of the lab: " + ("; ".join(faults) or ", ".join(sorted(names))))
    return Swept(tuple(sorted(names)), counts[0], counts[1], sum(_folder(lab) for lab in chosen))


def _await_unborn(engine: Engine, chosen: list[Lab], patience_s: float) -> None:
    """Waits, within bounds, until what was asked for and never answered has appeared, so that it can be removed."""
    open_ones = [item for lab in chosen if lab.folder for item in unsettled(lab.folder).items()]
    waiting = {name for name, kind in open_ones if kind != "lab"}
    until = time.monotonic() + patience_s
    while waiting and time.monotonic() < until:
        waiting -= _names(engine)
        if waiting:
            time.sleep(min(0.1, patience_s))


def _names(engine: Engine) -> set[str]:
    try:
        containers, networks = engine.client.api.containers(all=True), engine.client.api.networks()
    except FAULTS as fault:
        raise StageError(f"the engine does not list what is on it: {told(fault)}") from fault
    return {name.lstrip("/") for x in containers for name in x["Names"] or ()} | {x["Name"] for x in networks}


def _containers(engine: Engine, names: list[str], faults: list[str]) -> int:
    """Kills and removes containers, some at once: each takes the engine a third of a second."""

    def remove(name: str) -> int:
        try:
            engine.client.api.remove_container(name, force=True, v=True)
        except FAULTS as fault:
            faults.extend([] if gone(fault) else [f"container {name[:12]}: {told(fault)}"])
            return 0
        return 1

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return sum(pool.map(remove, names))


def _networks(engine: Engine, names: list[str], faults: list[str]) -> int:
    """Removes networks; a foreign container that somebody attached to one is detached, not removed."""
    removed = 0
    for name in names:
        try:
            for stranger in engine.client.api.inspect_network(name)["Containers"] or ():
                engine.client.api.disconnect_container_from_network(stranger, name, force=True)
            engine.client.api.remove_network(name)
            removed += 1
        except FAULTS as fault:
            faults.extend([] if gone(fault) else [f"network {name[:12]}: {told(fault)}"])
    return removed


def _folder(lab: Lab) -> int:
    if lab.folder is None:
        return 0
    try:
        shutil.rmtree(lab.folder)
    except FileNotFoundError:
        return 0
    except OSError as fault:
        raise StageError(f"{lab.folder}: cannot be removed ({fault.strerror}): sudo rm -r {lab.folder}") from fault
    return 1
