"""How the destinations of AN1793 were named and spoken to, group by group: columns of naming, protocols, stacks, roles.

Rows of flows or look-ups are compared by number; Python sees each distinct text once, never each row or group.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from detector.analytics.polling_surroundings import WITH_SNI, Surroundings
from detector.claims import translated
from detector.columns import NULL, Codes, Int64
from detector.contacts import Contacts, Crowd, Flows
from detector.destinations import is_address, is_local, label_of, registrable
from detector.features.dns_tunnel import ODD_TYPES, dns_tunnel
from detector.features.name_anomaly import name_anomaly
from detector.features.name_entropy import name_entropy
from detector.features.protocol_role import EVERYDAY, protocol_role
from detector.features.stack_first_use import stack_first_use
from detector.grouped import Float64, grouped_kinds, grouped_share, grouped_sum
from detector.inventory import Installed
from detector.lookups import Lookups
from detector.thresholds import PollingThresholds

Columns = dict[str, Float64]
Flags = npt.NDArray[np.bool_]


def naming_columns(crowd: Crowd, known: Surroundings, limits: PollingThresholds) -> Columns:
    """Naming with its parts, dns_tunnel, protocol_role, stack_first_use and explained."""
    whom = _destinations(crowd, known)
    parts = _naming(crowd, known) | {"name_entropy": _entropy(crowd, whom, limits.payload_entropy_threshold)}
    order = ("no_sni", "never_resolved", "other_name", "fronted", "name_entropy")
    number, apps = known.apps(crowd)
    explained = np.array([_explained(app, limits) for app in apps], np.float64)
    return {
        **parts,
        "name_anomaly": name_anomaly(*(parts[name] for name in order)),
        "dns_tunnel": _tunnel(crowd),
        "protocol_role": _protocols(crowd, number, apps, known, limits),
        "stack_first_use": _stacks(crowd, known),
        "explained": explained[number] if len(apps) else np.zeros(0),
    }


def answered_share(contacts: Contacts, said: Flows | Lookups, lookups: Lookups | None) -> float:
    """Share of the flows of one group whose address some answer gave for their very name; NaN without look-ups.

    A client may write any name into its hello: only who resolved it, this device or another, can vouch for it. The
    share is lower for addresses that were known from before the telemetry began.
    """
    if isinstance(said, Lookups) or lookups is None or not len(lookups.answers.domain):
        return float("nan")
    whom = Codes(np.zeros(len(contacts.rows), np.int64), [registrable(contacts.destination)])
    server = Codes(said.server.code[contacts.rows], said.server.texts)
    nobody = np.full(len(contacts.rows), NULL, np.int64)
    _, _, own = _resolved(nobody, server, whom, lookups)
    return float(own.mean())


def _destinations(crowd: Crowd, known: Surroundings) -> Codes:
    """(rows,) whom each row of the groups was with: their one destination, or of a merged group each its own."""
    if crowd.pairs.merged or crowd.pairs.by_host:
        return known.destination_of(crowd.rows, looked_up=crowd.looked_up)
    return Codes(np.repeat(crowd.destination.code, np.diff(crowd.row_edges)), crowd.destination.texts)


def _of_texts(column: Codes, tell: Callable[[str], float]) -> Float64:
    """(n,) what is told of the text of each row; NaN for null. Only texts that occur are asked."""
    used = np.unique(column.code[column.code != NULL])
    table = np.full(len(column.texts) + 1, np.nan)
    table[used] = [tell(column.texts[code]) for code in used.tolist()]
    return table[column.code]


def _entropy(crowd: Crowd, whom: Codes, bits: float) -> Float64:
    """(g,) mean entropy of the labels of the distinct destinations; NaN where all are addresses."""
    group, code = grouped_kinds(whom.code + 1, crowd.row_edges) if len(crowd) else (whom.code, whom.code)
    one = Codes(code - 1, whom.texts)
    told = _of_texts(one, lambda text: np.nan if is_address(text) else name_entropy(label_of(text), bits=bits))
    there = ~np.isnan(told)
    many = np.bincount(group[there], minlength=len(crowd))
    total = np.bincount(group[there], told[there], minlength=len(crowd))
    return np.asarray(np.divide(total, many, out=np.full(len(crowd), np.nan), where=many > 0))


def _naming(crowd: Crowd, known: Surroundings) -> Columns:
    unknown = np.full(len(crowd), np.nan)
    said = crowd.pairs.said
    if isinstance(said, Lookups):
        return dict.fromkeys(("no_sni", "never_resolved", "other_name", "fronted"), unknown)
    edges, rows = crowd.row_edges, crowd.rows
    claimed = Codes(known.claimed.code[rows], known.claimed.texts)
    nameless = _of_texts(claimed, is_address) == 1
    hello = _marked(said.app_proto, WITH_SNI)[rows]
    no_sni = grouped_share(nameless, hello, edges) if known.sni_seen else unknown
    server = Codes(said.server.code[rows], said.server.texts)
    never, foreign = unknown, unknown
    if known.lookups is not None and known.judged is not None:
        who = translated(crowd.device, known.lookups.device.texts)
        held, asked, own = _resolved(np.repeat(who, np.diff(edges)), server, claimed, known.lookups)
        doubted = nameless | (known.judged.code[rows] != NULL)
        odd = doubted & ~held & (_of_texts(server, is_local) != 1)
        never = grouped_sum(odd, edges) / np.maximum(np.diff(edges), 1)
        foreign = grouped_share(asked & ~own, ~nameless, edges)
        foreign = np.where(grouped_sum(asked & ~nameless, edges) > 0, foreign, np.nan)
    return {"no_sni": no_sni, "never_resolved": never, "other_name": foreign, "fronted": _fronted(crowd, known)}


def _marked(column: Codes, wanted: frozenset[str]) -> Flags:
    """(n,) whether the text of each row is one of those."""
    return np.array([text in wanted for text in column.texts] + [False])[column.code]


def _resolved(who: Int64, server: Codes, whom: Codes, lookups: Lookups) -> tuple[Flags, Flags, Flags]:
    """(rows,) whether an answer held the server's address, one to the same device did, and one for the destination.

    Devices that share an address of a front ask for names of their own: these say nothing of each other's.
    """
    answers = lookups.answers
    address = translated(server, answers.address.texts)
    domain = translated(whom, lookups.domain.texts)
    width, many = len(lookups.domain.texts) + 2, len(lookups.device.texts) + 2
    pairs = answers.address.code * width + answers.domain
    held = (address != NULL) & np.isin(address, answers.address.code)
    mine = held & (who != NULL) & np.isin(address * many + who, answers.address.code * many + answers.device)
    return held, mine, (address != NULL) & (domain != NULL) & np.isin(address * width + domain, pairs)


def _domain_of(crowd: Crowd) -> Codes:
    """(g,) the registrable domain of each destination, of hosts too."""
    return crowd.destination.renamed([registrable(text) for text in crowd.destination.texts])


def _fronted(crowd: Crowd, known: Surroundings) -> Float64:
    """(g,) share of its decrypted requests whose Host is of another domain; NaN where none was read."""
    if known.fronts is None:
        return np.full(len(crowd), np.nan)
    apps = (crowd.uid != NULL) | (crowd.package.code != NULL)
    by_app = known.fronts.of_rows(crowd.rows, crowd.row_edges)
    return np.where(apps, by_app, known.fronts.of_names(crowd.device, _domain_of(crowd)))


def _tunnel(crowd: Crowd) -> Float64:
    said = crowd.pairs.said
    if isinstance(said, Flows) or not len(crowd):
        return np.full(len(crowd), np.nan)
    rows = crowd.rows
    whole, domain = (np.array([*map(len, column.texts), 0])[column.code[rows]] for column in (said.qname, said.domain))
    odd = _marked(said.qtype, ODD_TYPES)[rows]
    return dns_tunnel(said.qname.code[rows] + 1, np.maximum(whole - domain - 1, 0), odd, crowd.row_edges)


def _protocols(
    crowd: Crowd, number: Int64, apps: list[Installed | None], known: Surroundings, limits: PollingThresholds
) -> Float64:
    said = crowd.pairs.said
    spoken = Codes(np.zeros(len(crowd.rows), np.int64), ["dns"])
    if isinstance(said, Flows):
        spoken = Codes(said.app_proto.code[crowd.rows], said.app_proto.texts)
    if not len(crowd):
        return np.zeros(0)
    group, code = grouped_kinds(spoken.code + 1, crowd.row_edges)
    group, code = group[code > 0], code[code > 0] - 1
    table = np.array([_allowed(app, spoken.texts, known, limits) for app in apps])
    return protocol_role(group, table[number[group], code] if len(spoken.texts) else np.zeros(0), len(crowd))


def _allowed(app: Installed | None, protocols: list[str], known: Surroundings, limits: PollingThresholds) -> Float64:
    """(protocols,) 1 everyday, of category or roles, or vouched for by a learned baseline; NaN: no category."""
    if app is None or app.category is None:
        return np.full(len(protocols), np.nan)
    table = limits.app_network_role_baseline.protocols
    fine = EVERYDAY.union(*(table.get(part, frozenset()) for part in (app.category, *app.roles)))
    if not known.baseline.itself:
        fine |= known.usual_protocols(app.category)
    return np.array([float(text in fine) for text in protocols])


def _stacks(crowd: Crowd, known: Surroundings) -> Float64:
    if crowd.looked_up:
        return np.full(len(crowd), np.nan)
    alone, several = known.stacks
    return stack_first_use(alone[crowd.rows], several[crowd.rows], crowd.row_edges)


def _explained(app: Installed | None, limits: PollingThresholds) -> float:
    """Whether category or role explain background contacts; NaN where neither is known."""
    if app is None or (app.category is None and not app.roles):
        return np.nan
    # a role says more than a category: browsers and messengers share one, and only the latter sync unseen
    known_as = app.roles or {app.category}
    return float(bool(known_as & limits.app_network_role_baseline.background))
