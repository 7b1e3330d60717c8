"""Every factor of AN1793 as a column: (g,) float64, NaN where this sensor cannot tell. Nothing is weighed here."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detector.analytics.polling_history import as_learned
from detector.analytics.polling_naming import naming_columns
from detector.analytics.polling_surroundings import Surroundings, others
from detector.columns import NULL, Codes, Int64
from detector.contacts import Crowd, Pairs
from detector.features.background_use import background_use
from detector.features.baseline_deviation import at_least, baseline_gate, elsewhere
from detector.features.contact_rate import contact_rate
from detector.features.contact_spread import contact_spread
from detector.features.gap_floor import gap_floor
from detector.features.hour_coverage import hour_coverage
from detector.features.interval_regularity import interval_regularity
from detector.features.lock_independence import LEAST_SECONDS, lock_independence
from detector.features.lock_preference import lock_preference
from detector.features.mode_share import mode_share
from detector.features.night_coverage import night_coverage
from detector.features.prevalence import prevalence
from detector.features.size_constancy import constancy, size_constancy
from detector.features.size_symmetry import size_symmetry
from detector.features.smallness import smallness
from detector.features.task_mixture import task_mixture
from detector.grouped import Float64, grouped_clusters, grouped_share, grouped_sum
from detector.thresholds import PollingThresholds

DAY_US = 86_400_000_000
#: Parts of the gate, in the words of detector.baseline.Deviation.
PARTS = ("own_days", "app_share", "app_devices", "category_share", "fleet_share", "fleet_new")
#: A gate below which a domain is known, so that only a host of it can be new.
DOMAIN_KNOWN = 0.5
Columns = dict[str, Float64]


def columns_of(crowd: Crowd, until: Int64, known: Surroundings, limits: PollingThresholds) -> Columns:
    """All factors of the groups from what was seen up to ``until`` (g,), but what others do: that is of all times."""
    return {
        "contacts": crowd.counts.astype(np.float64),
        **_timing(crowd, until, known, limits),
        **_sizes(crowd, limits),
        **_states(crowd, until, known, limits),
        **naming_columns(crowd, known, limits),
    }


def _timing(crowd: Crowd, until: Int64, known: Surroundings, limits: PollingThresholds) -> Columns:
    times, edges, first = crowd.times, crowd.edges, known.span[0]
    quiet = known.quiet[crowd.looked_up][crowd.device.code]
    return {
        "interval_regularity": interval_regularity(times, edges, memoryless=limits.beacon_interval_variance_threshold),
        "gap_floor": gap_floor(times, edges),
        "mode_share": mode_share(times, edges),
        "hour_coverage": hour_coverage(times, edges, first, until),
        "contact_spread": contact_spread(times, edges, first, until),
        "night_coverage": night_coverage(times, edges, first, until, quiet),
    }


def _sizes(crowd: Crowd, limits: PollingThresholds) -> Columns:
    up, down, edges = crowd.up, crowd.down, crowd.edges
    asked, answers = (grouped_clusters(side, edges, limits.payload_symmetry_threshold) for side in (up, down))
    sides = constancy(asked[0], up, edges), constancy(answers[0], down, edges)
    return {
        "size_constancy": size_constancy(*sides),
        "constancy_up": sides[0],
        "constancy_down": sides[1],
        "smallness": smallness(up, down, edges),
        "size_symmetry": size_symmetry(up, down, edges),
        "task_mixture": task_mixture((crowd.times, up, down), edges, answers, asked[1]),
    }


def _states(crowd: Crowd, until: Int64, known: Surroundings, limits: PollingThresholds) -> Columns:
    """Lock, foreground and interaction around the contacts; AppState or DeviceLockState "any" leaves them unknown."""
    names = ("lock_independence", "lock_preference", "background_share", "idle_share", "background_use")
    states = known.states
    if states is None:
        return {name: np.full(len(crowd), np.nan) for name in names}
    device = states.numbers(crowd.device)
    each = np.repeat(np.arange(len(crowd)), crowd.counts)
    rows = states.rows(device[each], crowd.times)
    locked = states.locked_at(rows)
    background = states.background_at(rows, crowd.uid[each])
    idle = states.idle_at(rows, crowd.times, limits.last_user_interaction_delta)
    locks = (
        grouped_sum(locked == 1, crowd.edges),
        grouped_sum(locked == 0, crowd.edges),
        *states.lock_seconds(device, known.span[0], until),
    )
    unknown = np.full(len(crowd), np.nan)
    lock, app = limits.device_lock_state == "locked", limits.app_state == "background"
    independence, preference = (lock_independence(*locks), lock_preference(*locks)) if lock else (unknown, unknown)
    used = locks[3] >= LEAST_SECONDS  # on a device nobody touched, everything is background
    share = np.where(used, grouped_share(background == 1, background >= 0, crowd.edges), np.nan) if app else unknown
    still = np.where(used, grouped_share(idle == 1, idle >= 0, crowd.edges), np.nan)
    found = (independence, preference, share, still)
    return dict(zip(names, (*found, background_use(independence, share, preference)), strict=True))


def pair_columns(pairs: Pairs, known: Surroundings) -> Columns:
    """(p,) what others do: the gate and its parts, and prevalence.

    ``baseline``: 1 a learned baseline, 0 only this telemetry. ``fleet``: other devices that could be asked.
    """
    deviation = known.deviation(pairs)
    used, packages = others(pairs)
    return {
        **{name: getattr(deviation, name) for name in PARTS},
        "own_app": np.full(len(pairs), np.nan) if deviation.own_app is None else deviation.own_app,
        "gate": baseline_gate(deviation),
        "elsewhere": elsewhere(deviation),
        "baseline": np.full(len(pairs), 0.0 if known.baseline.itself else 1.0),
        "fleet": np.full(len(pairs), float(max(known.baseline.devices - 1, 0))),
        "prevalence": prevalence(used, max(known.devices - 1, 0), packages),
        "adoption": _adoption(pairs),
        "known_domain": np.zeros(len(pairs)),
    }


def _adoption(pairs: Pairs) -> Float64:
    """(p,) the share of the other devices here on which the same app goes there, at least; NaN without another."""
    app, device = pairs.package.code, pairs.device.code
    width, devices = len(pairs.destination.texts) + 1, len(np.unique(device[device != NULL]))
    whom = (app + 1) * width + pairs.destination.code + 1
    who, place = np.unique(whom, return_inverse=True)
    reached = np.unique(place * (len(pairs.device.texts) + 1) + device + 1) // (len(pairs.device.texts) + 1)
    others = np.bincount(reached, minlength=len(who))[place] - 1.0
    of = max(devices - 1, 1)
    known = (app != NULL) & (devices > 1)
    return np.where(known, at_least(others / of, np.full(len(pairs), float(of))), np.nan)


def host_columns(pairs: Pairs, of: Columns, known: Surroundings) -> Columns:
    """(h,) the same of hosts; ``of``: columns of the domain of each. ``known_domain``: how usual that is here."""
    return pair_columns(pairs, known) | {"known_domain": 1 - of["gate"]}


def fresh_hosts(columns: Columns, of: Columns) -> npt.NDArray[np.bool_]:
    """(h,) hosts that are less usual than their domain, which is known: candidates for the third key."""
    return np.asarray((of["gate"] < DOMAIN_KNOWN) & (columns["gate"] > of["gate"]))


def rare_pairs(columns: Columns, limits: PollingThresholds) -> npt.NDArray[np.bool_]:
    """(p,) destinations that hardly anybody else contacts, and the app not before: candidates for the second key.

    New to the whole fleet, or on few other devices of a fleet that is large enough to say so.
    """
    with np.errstate(invalid="ignore"):
        share, of = columns["fleet_share"], columns["fleet"]
        seldom = (share * of < limits.rare_devices) & (share <= limits.rare_share) & (of >= limits.rare_fleet)
        own = np.nan_to_num(columns["own_days"]) == 0
        app = np.nan_to_num(columns["app_share"]) <= limits.rare_share
    return np.asarray(((columns["fleet_new"] == 1) | seldom) & own & app)


def averaged(columns: Columns, pairs: Pairs, which: npt.NDArray[np.bool_]) -> Columns:
    """The same of the pairs that ``by_app`` makes: means over what is known of the joined, by their rows."""
    _, app = np.unique(pairs.app[which], return_inverse=True)
    rows = np.diff(pairs.edges)[which].astype(np.float64)
    found = {}
    for name, column in columns.items():
        value = column[which]
        weight = np.where(np.isnan(value), 0.0, rows)
        total = np.bincount(app, weight)
        mean = np.bincount(app, weight * np.nan_to_num(value))
        found[name] = np.divide(mean, total, out=np.full(len(total), np.nan), where=total > 0)
    return found


def rates(crowd: Crowd, known: Surroundings, limits: PollingThresholds) -> Float64:
    """(g,) the contact rate against the category; NaN for a merged group, whose destinations have a rate each.

    Days are those of the baseline, parts of a day included; but no part of a day stands for a whole one against days
    that were learned.
    """
    if crowd.pairs.merged:
        return np.full(len(crowd), np.nan)
    days = (known.span[1] - known.span[0]) / DAY_US
    days = (days or 1.0) if known.baseline.itself else max(days, 1.0)
    category = known.categories(crowd.pairs)
    asked = Codes(category.code[crowd.pair], category.texts)
    return contact_rate(known.baseline.rate_z(asked, as_learned(crowd) / days), unusual=limits.rate_unusual)
