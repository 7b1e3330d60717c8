"""The background: ordinary apps of the library scenarios/apps/, drawn for each phone by how many phones have them.

One file is one app; the folder is the registry. Nothing here knows what a scenario asks or labels.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lab.authoring.behaviour_rows import drawn_plan, range_faults
from lab.authoring.blame import placed
from lab.authoring.fields import DAY, label_of
from lab.authoring.plans import AppPlan, Background, BehaviourPlan
from lab.authoring.scenario_file import LibraryTable, faults_of
from lab.errors import ScenarioError
from lab.seeds import generator, generators
from lab.shelf import parse_toml, place_of, scenarios_folder

Shares = npt.NDArray[np.float64]
# How often in a day of a phone an app comes, goes, and how often a vendor moves to another domain: our choice. People
# install one or two apps a month (from memory of market reports), which over 25 apps is 0.002 of each and day; ours is
# five times that, so that a scenario of three phones and three days sees two or three of them.
INSTALLED_PER_DAY, REMOVED_PER_DAY, MOVED_PER_DAY = 0.01, 0.005, 0.01
ROLLOUT = DAY // 2  # an update reaches all phones within half a day (our choice)


@dataclass(frozen=True)
class LibraryApp:
    """An app of the library: ``popularity`` is the share of phones that have it; ``rows`` are its behaviours.

    A ``managed`` app comes with the enterprise: all its phones have it or none, and popularity is the share of
    enterprises.
    """

    package: str
    label: str
    category: str
    roles: tuple[str, ...]
    sanctioned: bool
    exempt: bool
    managed: bool
    popularity: float
    rows: tuple[Mapping[str, Any], ...]

    @property
    def comes_and_goes(self) -> bool:
        """Whether people install and remove it; what came with the phone or the employer stays."""
        return not self.managed and self.category != "system"


def library() -> tuple[LibraryApp, ...]:
    """All apps of the library, by package; ScenarioError lists every fault of its files, each with its place."""
    apps, faults = _loaded(_files())
    if faults:
        raise ScenarioError([*faults])
    return apps


def library_digest() -> bytes:
    """A digest of the library as it is: what a timeline with a background depends on besides its scenario."""
    return _digest(_files())


def background_faults(background: Background, own: frozenset[str] = frozenset()) -> list[str]:
    """What is wrong with a background: faults of the library's own files are raised as ScenarioError instead.

    ``own``: the scenario's packages. Employers' apps do not count: under some seeds no phone has them.
    """
    left = sum(not app.managed for app in _left(background, own)) if background.apps else 0
    return [f"apps: found {background.apps}, but {left} apps of the library are left"] if left < background.apps else []


def background_apps(
    key: tuple[object, ...], background: Background, own: frozenset[str], devices: int, span: int
) -> list[list[AppPlan]]:
    """The ordinary apps of each phone, ``background.apps`` of them or all that the scenario's ``own`` leave.

    Settings are drawn once per app, so that all phones have the same; so is when its vendor moves.
    """
    if not background.apps:
        return [[] for _ in range(devices)]
    apps = _left(background, own)
    shares = np.array([_share(key, app) for app in apps])
    wanted = inclusion(shares, min(background.apps, int((shares > 0).sum())))
    chosen = [sample(generator(*key, "background", device), wanted).tolist() for device in range(devices)]
    every = sorted({place for places in chosen for place in places})
    plans = dict(zip(every, _plans(key, [apps[place] for place in every], span), strict=True))
    found = []
    for device, places in enumerate(chosen):
        rng = generator(*key, "coming and going", device)
        fates = rng.random((len(apps), 5))  # drawn for all, so that one choice does not move another's fate
        found.append([_life(plans[place], apps[place], fates[place], span) for place in places])
    return found


def inclusion(shares: Shares, count: int) -> Shares:
    """The probabilities of being among ``count``: the given shares, their odds all multiplied by one factor.

    They sum to ``count``, and are the shares themselves if those do; 0 stays 0. ValueError if that cannot be.
    """
    able = shares > 0
    if count > int(able.sum()):
        raise ValueError(f"found {int(able.sum())} apps, expected at least {count}")
    odds = np.clip(shares[able], 1e-6, 1 - 1e-6)
    odds /= 1 - odds
    low, high = -40.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        total = float((1 / (1 + np.exp(-middle) / odds)).sum())
        low, high = (middle, high) if total < count else (low, middle)
    found = np.zeros(len(shares))
    found[able] = 1 / (1 + np.exp(-low) / odds)
    return found * (count / found.sum()) if count else found * 0


def sample(rng: np.random.Generator, wanted: Shares) -> npt.NDArray[np.int64]:
    """Ascending places, as many as ``wanted`` sums to, each taken with its probability (Madow, 1949: systematic)."""
    order = rng.permutation(len(wanted))
    edges = np.concatenate([[0.0], np.cumsum(wanted[order])])
    edges[-1] = round(edges[-1])
    steps = np.floor(edges + rng.random())
    return np.sort(order[np.diff(steps) > 0]).astype(np.int64)


def _share(key: tuple[object, ...], app: LibraryApp) -> float:
    if not app.managed:
        return app.popularity
    return float(generator(*key, "managed", app.package).random() < app.popularity)


def _plans(key: tuple[object, ...], apps: list[LibraryApp], span: int) -> Iterator[AppPlan]:
    rows = [(*key, "settings", app.package, nth) for app in apps for nth in range(len(app.rows))]
    settings = iter(generators(rows))
    moving = generators((*key, "moving", app.package) for app in apps)
    for app, rng in zip(apps, moving, strict=True):
        yield _plan(app, tuple(drawn_plan(next(settings), row) for row in app.rows), rng, span)


def _plan(app: LibraryApp, behaviours: tuple[BehaviourPlan, ...], rng: np.random.Generator, span: int) -> AppPlan:
    moves = int(rng.random() * span) if rng.random() < _chance(MOVED_PER_DAY, span) else None
    about = (app.package, app.label, app.category, app.roles, app.sanctioned)
    return AppPlan(*about, 1, behaviours, moves=moves, exempt=app.exempt)


def _life(plan: AppPlan, app: LibraryApp, fate: Shares, span: int) -> AppPlan:
    """The app on one phone: it may come or go during the span, and its update comes with a delay."""
    comes, goes, first, second, late = fate.tolist()
    moves = None if plan.moves is None else plan.moves + int(late * ROLLOUT)
    installed, removed = 0, None
    if app.comes_and_goes and comes < _chance(INSTALLED_PER_DAY, span):
        installed = int(first * span)
    if app.comes_and_goes and goes < _chance(REMOVED_PER_DAY, span):
        removed = installed + 1 + int(second * (span - installed - 1))
    if moves is not None and not installed < moves < (span if removed is None else removed):
        moves = None if moves > installed else installed
    return replace(plan, installed=installed, removed=removed, moves=moves)


def _chance(per_day: float, span: int) -> float:
    return -float(np.expm1(-per_day * span / DAY))


def _left(background: Background, own: frozenset[str]) -> list[LibraryApp]:
    left_out = {*own, *background.without}
    return [
        app
        for app in library()
        if not left_out & {app.package, app.category}
        and (not background.categories or app.category in background.categories)
    ]


def _files() -> tuple[tuple[str, int, int], ...]:
    with os.scandir(scenarios_folder() / "apps") as found:  # asked for by every scenario with a background
        seen = [(one.path, one.stat()) for one in found if one.name.endswith(".toml")]
    return tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in sorted(seen, key=itemgetter(0)))


@lru_cache(maxsize=4)
def _digest(files: tuple[tuple[str, int, int], ...]) -> bytes:
    digest = hashlib.sha256()
    for path, *_ in files:
        digest.update(Path(path).read_bytes())
    return digest.digest()


@lru_cache(maxsize=4)
def _loaded(files: tuple[tuple[str, int, int], ...]) -> tuple[tuple[LibraryApp, ...], tuple[str, ...]]:
    apps: dict[str, LibraryApp] = {}
    faults = []
    for name, *_ in files:
        place = place_of(Path(name))
        try:
            app = _app(Path(name).read_bytes(), place)
        except ScenarioError as wrong:
            faults += wrong.faults
            continue
        if app.package in apps:
            faults.append(f"{place}: package '{app.package}' stands in another file too")
        apps[app.package] = app
    return tuple(apps[package] for package in sorted(apps)), tuple(faults)


def _app(content: bytes, place: str) -> LibraryApp:
    document = parse_toml(content, place)
    table, faults = faults_of(LibraryTable, document)
    rows = document.get("behaviour", [])
    for number, row in enumerate(rows if isinstance(rows, list) else [], 1):
        if isinstance(row, dict):
            faults += list(range_faults(row, f"behaviour {number}"))
    if faults or table is None:
        raise ScenarioError(placed(place, faults))
    return LibraryApp(
        package=table.package,
        label=table.label or label_of(table.package),
        category=table.category,
        roles=tuple(table.roles),
        sanctioned=table.sanctioned,
        exempt=table.exempt,
        managed=table.managed,
        popularity=table.popularity,
        rows=tuple(rows),
    )
