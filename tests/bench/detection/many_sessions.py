"""Telemetry of many made-up sessions: phones, apps and destinations in a plausible mix, to time a detector on.

Not a recording: nobody is labelled and nothing is claimed of what is found. Of the groups of phone, app and destination
three in ten are timers, whose sizes stay the same; the rest are people's, in bursts between seven and eleven o'clock.
Who speaks with whom is the same whatever the seed, as days of one fleet are, but for the groups that are new: timers of
small answers to a destination nobody has, every minute to every quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.contract import SCHEMAS, Telemetry

Int64 = npt.NDArray[np.int64]
Told = Callable[[list[str], Int64], pa.Array]
DAY_US = 86_400_000_000
START = 1_772_409_600_000_000  # 2026-03-02
DAYS = 3
SESSIONS = 2_500  # of a phone and day, about what the lab's phones with 25 apps have
APPS, KINDS, POPULAR, TAIL = 25, 400, 120, 20_000
TIMERS = 0.3
UNLOCKS = 60  # a day
NEW = 0.001  # of the groups, one has a new destination, asked that many times in the three days:
POLLS = (288, 4_320)


def telemetry(sessions: int, seed: int, *, new: float = 0.0, packed: bool = False) -> Telemetry:
    """That many sessions, as many phones as have them in three days, their apps and their locks.

    ``new``: the share of the groups that is new; its sessions are among those asked for. ``packed``: texts of flows are
    held as detector.packed holds them, which is half the memory.
    """
    rng = np.random.default_rng(seed)
    phones = max(1, round(sessions / SESSIONS / DAYS))
    tables = {
        "flows": _flows(rng, sessions, phones, new, _encoded if packed else _taken),
        "packages": _packages(rng, phones),
        "device_state": _states(rng, phones),
    }
    return Telemetry(tables=tables, span=(START, START + DAYS * DAY_US))


def installed(phones: int) -> Int64:
    """(phones, APPS) the kinds of app that each phone has: the same for ever, the popular ones most often."""
    rng = np.random.default_rng(phones)
    return np.sort((KINDS * rng.random((phones, APPS)) ** 2).astype(np.int64), axis=1)


def _flows(rng: np.random.Generator, sessions: int, phones: int, new: float, told: Told) -> pa.Table:
    apps, world = installed(phones), np.random.default_rng(phones + 1)
    of = np.repeat(np.arange(apps.size), world.integers(3, 9, apps.size))  # (g,) the phone's app that a group is of
    share = world.lognormal(0.0, 1.5, len(of))
    timer = world.random(len(of)) < TIMERS
    peer = _peers(world, apps.reshape(-1)[of])
    fresh = np.flatnonzero(rng.random(len(of)) < new)
    polls = np.exp(rng.uniform(*np.log(POLLS), len(fresh))).astype(np.int64)
    timer[fresh], share[fresh], peer[fresh] = True, 0.0, KINDS + POPULAR + TAIL + np.arange(len(fresh))
    counts = rng.multinomial(sessions - polls.sum(), share / share.sum())
    counts[fresh] = polls
    group = np.repeat(np.arange(len(of)), counts)
    start = START + np.where(timer[group], _ticks(rng, counts), _visits(rng, sessions))
    order = np.argsort(start, kind="stable")
    start, group = start[order], group[order]
    up = np.where(timer[group], 900.0, rng.lognormal(7.0, 1.0, sessions)).astype(np.int64)
    down = np.where(timer[group], 4_200.0, rng.lognormal(8.5, 1.5, sessions)).astype(np.int64)
    kind, phone = apps.reshape(-1)[of[group]], of[group] // APPS
    names = [f"host{one}.example" for one in range(KINDS + POPULAR + TAIL + len(fresh))]
    servers = [f"198.{18 + one // 65_536}.{one // 256 % 256}.{one % 256}" for one in range(len(names))]
    some = {
        "flow": pa.array(np.arange(sessions)),
        "device": told([f"phone-{one:05d}" for one in range(phones)], phone),
        "inbound": pa.array(np.zeros(sessions, np.bool_)),
        "uid": pa.array((10_100 + kind).astype(np.int32)),
        "package": told([f"com.app{one}.made" for one in range(KINDS)], kind),
        "start": pa.array(start),
        "end": pa.array(start + (rng.exponential(2e6, sessions)).astype(np.int64)),
        "client": told([f"10.{one // 65_536}.{one // 256 % 256}.{one % 256}" for one in range(phones)], phone),
        "server": told(servers, peer[group]),
        "name": told(names, peer[group]),
        "sni": told(names, peer[group]),
        "name_from": told(["sni"], np.zeros(sessions, np.int64)),
        "proto": told(["tcp"], np.zeros(sessions, np.int64)),
        "app_proto": told(["tls"], np.zeros(sessions, np.int64)),
        "ja4": told([f"t13d1516h2_{one:012x}_000000000000" for one in range(40)], kind % 40),
        "established": pa.array(np.ones(sessions, np.bool_)),
        "client_port": pa.array(rng.integers(32_768, 61_000, sessions).astype(np.int32)),
        "server_port": pa.array(np.full(sessions, 443, np.int32)),
        "bytes_up": pa.array(up),
        "bytes_down": pa.array(down),
        "packets_up": pa.array(up // 1_200 + 4),
        "packets_down": pa.array(down // 1_200 + 4),
    }
    schema = SCHEMAS["flows"]
    nothing = pa.py_buffer(np.zeros(sessions + 1, np.int64))  # of which every column that says nothing is made
    columns = {one.name: some[one.name] if one.name in some else _silent(sessions, one.type, nothing) for one in schema}
    return pa.table(columns)


def _silent(sessions: int, kind: pa.DataType, nothing: pa.Buffer) -> pa.Array:
    """So many nulls that hold no memory of their own."""
    if pa.types.is_string(kind):
        return pa.Array.from_buffers(kind, sessions, [nothing, nothing, pa.py_buffer(b"")], sessions)
    if pa.types.is_nested(kind):
        return pa.nulls(sessions, kind)
    return pa.Array.from_buffers(kind, sessions, [nothing, nothing], sessions)


def _ticks(rng: np.random.Generator, counts: Int64) -> npt.NDArray[np.float64]:
    """(n,) moments of each group spread evenly over the days, a tenth of the period to and fro."""
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    period = DAYS * DAY_US / np.maximum(np.repeat(counts, counts), 1)
    found: npt.NDArray[np.float64] = (place + 0.5 + 0.1 * (rng.random(len(place)) - 0.5)) * period
    return found.astype(np.int64)


def _visits(rng: np.random.Generator, sessions: int) -> Int64:
    """(n,) moments of people: a minute-long burst somewhere between 7 and 23 o'clock."""
    burst = rng.integers(0, DAYS, sessions) * DAY_US + (7 + 16 * rng.integers(0, 192, sessions) / 192) * DAY_US / 24
    return (burst + rng.exponential(20e6, sessions)).astype(np.int64)


def _peers(rng: np.random.Generator, kind: Int64) -> Int64:
    """(g,) destinations: the app's own, what everybody goes to, or one of the long tail."""
    drawn = rng.random(len(kind))
    popular = KINDS + (POPULAR * rng.random(len(kind)) ** 2).astype(np.int64)
    tail = KINDS + POPULAR + rng.integers(0, TAIL, len(kind))
    return np.where(drawn < 0.3, kind, np.where(drawn < 0.85, popular, tail))


def _packages(rng: np.random.Generator, phones: int) -> pa.Table:
    kind = installed(phones).reshape(-1)
    count = len(kind)
    categories = ["tools", "games", "news-and-magazines", "social", "finance", "weather"]
    some = {
        "device": _taken([f"phone-{one:05d}" for one in range(phones)], np.repeat(np.arange(phones), APPS)),
        "uid": pa.array((10_100 + kind).astype(np.int32)),
        "package": _taken([f"com.app{one}.made" for one in range(KINDS)], kind),
        "label": _taken([f"App {one}" for one in range(KINDS)], kind),
        "category": _taken(categories, kind % len(categories)),
        "sanctioned": pa.array(rng.random(KINDS)[kind] < 0.05),
        "roles": pa.array([[]] * count, pa.list_(pa.string())),
    }
    schema = SCHEMAS["packages"]
    whole = pa.table([some[one.name] for one in schema], schema=schema)
    _, first = np.unique(np.repeat(np.arange(phones), APPS) * KINDS + kind, return_index=True)
    return whole.take(pa.array(first))


def _states(rng: np.random.Generator, phones: int) -> pa.Table:
    count = phones * UNLOCKS * DAYS
    time = START + np.sort(rng.integers(0, DAYS * DAY_US, (phones, UNLOCKS * DAYS)), axis=1).reshape(-1)
    locked = np.arange(count) % 2 == 1
    front = installed(phones)[np.repeat(np.arange(phones), UNLOCKS * DAYS), rng.integers(0, APPS, count)]
    some = {
        "time": pa.array(time),
        "device": _taken([f"phone-{one:05d}" for one in range(phones)], np.repeat(np.arange(phones), UNLOCKS * DAYS)),
        "screen_on": pa.array(~locked),
        "locked": pa.array(locked),
        "foreground_uid": pa.array((10_100 + front).astype(np.int32), mask=locked),
        "last_interaction": pa.array(time),
        "power_state": _taken(["interactive", "idle"], locked.astype(np.int64)),
    }
    schema = SCHEMAS["device_state"]
    return pa.table([some[one.name] for one in schema], schema=schema)


def _taken(texts: list[str], which: Int64) -> pa.Array:
    return pa.array(texts, pa.string()).take(pa.array(which))


def _encoded(texts: list[str], which: Int64) -> pa.Array:
    return _taken(texts, which).dictionary_encode()
