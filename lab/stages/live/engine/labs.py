"""Labs there are, from the folders on disk and the labels on the engine, and whether somebody still wants them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import StageError
from lab.stages.live.engine.engine import FAULTS, Engine, told
from lab.stages.live.engine.playing import playing
from lab.stages.live.engine.session import ID, LABEL, Owner, boot_id, read_session, session_folders, unsettled


@dataclass(frozen=True)
class Lab:
    """What there is of one lab. ``owner`` is None and ``expires`` 0 where nothing tells (a damaged folder)."""

    id: str
    folder: Path | None
    owner: Owner | None
    expires: int
    kept: bool
    half: bool  # it never came up whole
    containers: tuple[str, ...]  # ids on the engine
    networks: tuple[str, ...]

    def wanted(self, now: float) -> bool:
        """Whether it must be left alone: it is playing, or kept, whole and not expired, or its owner lives.

        Of a kept lab there must be containers, and of this boot: ask labs that were found with an engine.
        """
        if self.folder and playing(self.folder):
            return True
        if self.owner is None:
            return False
        if self.kept and not self.half and self.containers:
            return now < self.expires and self.owner.boot == boot_id()
        return self.owner.alive()


def find_labs(engine: Engine | None) -> list[Lab]:
    """Every lab of this machine, by id; without an engine those on disk. StageError if the engine does not answer."""
    containers, networks = _labelled(engine) if engine else ([], [])
    folders = {path.name: path for path in session_folders()}
    names = {_labels(x)[f"{LABEL}.lab"] for x in (*containers, *networks)} | set(folders)
    return [_lab(name, folders.get(name), containers, networks) for name in sorted(names)]


def stale(engine: Engine) -> list[Lab]:
    """Labs nobody wants any more: expired, or their owner is dead and they are not kept; nobody plays in them."""
    now = time.time()
    return [lab for lab in find_labs(engine) if not lab.wanted(now)]


def _labelled(engine: Engine) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Containers and networks that say which lab they are of, as the engine lists them."""
    wanted = {"label": f"{LABEL}.lab"}
    try:
        found = engine.client.api.containers(all=True, filters=wanted), engine.client.api.networks(filters=wanted)
    except FAULTS as fault:
        raise StageError(f"the engine does not list what is on it: {told(fault)}") from fault
    containers, networks = ([x for x in some if ID.fullmatch(_labels(x).get(f"{LABEL}.lab", ""))] for some in found)
    return containers, networks


def _labels(thing: dict[str, Any]) -> dict[str, str]:
    return thing.get("Labels") or {}


def _lab(name: str, folder: Path | None, containers: list[dict[str, Any]], networks: list[dict[str, Any]]) -> Lab:
    own = [[x for x in some if _labels(x)[f"{LABEL}.lab"] == name] for some in (containers, networks)]
    ids = [tuple(str(x["Id"]) for x in some) for some in own]
    card = read_session(folder) if folder else None
    if card:
        half = "lab" in unsettled(card.folder).values()
        return Lab(name, folder, card.owner, card.expires, card.kept, half, ids[0], ids[1])
    owner, expires, kept = _told_by_labels(_labels(x) for some in own for x in some)
    return Lab(name, folder, owner, expires, kept, False, ids[0], ids[1])


def _told_by_labels(some: Iterable[dict[str, str]]) -> tuple[Owner | None, int, bool]:
    for labels in some:
        try:
            owner = Owner(int(labels[f"{LABEL}.pid"]), int(labels[f"{LABEL}.started"]), labels[f"{LABEL}.boot"])
            return owner, int(labels[f"{LABEL}.expires"]), labels[f"{LABEL}.kept"] == "yes"
        except (KeyError, ValueError):
            continue
    return None, 0, False
