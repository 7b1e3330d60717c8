"""What the bundled analytics measure in a telemetry, group by group, before anything is called suspicious.

It judges nobody: it lists the values that a judgement is made of, so that two recordings of one thing can be held
against each other. Times become intervals here; nothing depends on when something happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from detector.analytics import command_polling as polling
from detector.analytics.polling_peer import peer_of
from detector.analytics.proxy_handshake import Asked
from detector.analytics.traffic_relay import Bridged, every_bridge, traffic_relay
from detector.contacts import Contacts
from detector.contract import Telemetry
from detector.lookups import Lookups
from detector.signature import Signature
from detector.thresholds import Thresholds

QUARTILES = {"q25": 0.25, "median": 0.5, "q75": 0.75}
Value = float | None  # None: this sensor cannot tell
#: Columns of AN1702 that two recordings of one thing must agree on; the others are made of these, or of chance.
COMPARED = (
    *("destinations", "stacks", "streams", "way_in_bytes", "way_out_bytes", "bridge_correlation", "byte_conservation"),
    *("pairing_lift", "unattended_share", "sustained", "setup_evidence"),
)
BY = Signature("measures", "1", partial=False)


@dataclass(frozen=True)
class Measured:
    """One group as one analytic sees it: an app and a destination (AN1793), or an app (AN1702).

    ``values`` of AN1702 are those of its worst window, which began at ``window`` (microseconds); ``windows`` are the
    values of every window by its begin, as of windows that are as bad as each other another recording may show another.
    """

    analytic: str
    device: str
    package: str | None
    peer: str | None  # registrable domain or address; None for AN1702
    looked_up: bool  # the contacts are look-ups below ``peer``
    addresses: tuple[str, ...]
    protocols: tuple[str, ...]
    values: Mapping[str, Value]
    score: float
    alert: bool
    window: int | None = None
    windows: Mapping[int, Mapping[str, Value]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str, str, bool]:
        """What it is found by in another recording of the same thing."""
        return (self.analytic, self.device, self.package or "", self.peer or "", self.looked_up)


def measured(telemetry: Telemetry, thresholds: Thresholds) -> list[Measured]:
    """Every group of both analytics, by key; needs flows, and shows as much as there are other tables."""
    found = [*_polling(telemetry, thresholds), *_relaying(telemetry, thresholds)]
    return sorted(found, key=lambda one: one.key)


def _polling(telemetry: Telemetry, thresholds: Thresholds) -> Iterator[Measured]:
    findings = polling.command_polling(telemetry, thresholds.polling, BY)
    alerts = {(one.device, one.uid, one.package, one.peer, one.first_seen) for one in findings if one.alert}
    found = polling.measured(telemetry, thresholds.polling)
    scores = polling.scores(found.columns, thresholds.polling) if len(found) else ()
    for group, score in enumerate(scores):
        contacts, said = found.contacts(group), found.place(group)[0].crowd.pairs.said
        peer = peer_of(contacts, said)
        who = (contacts.device, contacts.uid, contacts.package, peer.name, int(contacts.times[0]))
        spoken = ["dns"] if isinstance(said, Lookups) else said.app_proto.of(contacts.rows)
        yield Measured(
            analytic="AN1793",
            device=contacts.device,
            package=contacts.package,
            peer=contacts.destination,
            looked_up=contacts.looked_up,
            addresses=peer.addresses,
            protocols=tuple(sorted(spoken)),
            values=_of_contacts(contacts)
            | _of_columns({name: column[group] for name, column in found.columns.items()}),
            score=float(score),
            alert=who in alerts,
        )


def _of_contacts(contacts: Contacts) -> dict[str, Value]:
    """How many, how far apart (seconds), how large (bytes of L4 payload)."""
    values: dict[str, Value] = {"contacts": float(len(contacts))}
    columns = {"gap_s": contacts.gaps_s(), "up_bytes": contacts.up, "down_bytes": contacts.down}
    for name, column in columns.items():
        values |= {f"{name}_{word}": float(np.quantile(column, share)) for word, share in QUARTILES.items()}
    return values | {"up_bytes_sum": float(contacts.up.sum()), "down_bytes_sum": float(contacts.down.sum())}


def _of_columns(columns: Mapping[str, float]) -> dict[str, Value]:
    return {name: None if np.isnan(value) else float(value) for name, value in columns.items()}


def _relaying(telemetry: Telemetry, thresholds: Thresholds) -> Iterator[Measured]:
    findings = {(one.device, one.uid, one.package): one for one in traffic_relay(telemetry, thresholds.relay, BY)}
    for who, asked, bridged in every_bridge(telemetry, thresholds.relay):
        finding = findings.get(who)
        score = 0.0 if bridged is None else bridged.score
        yield Measured(
            analytic="AN1702",
            device=who[0],
            package=who[2],
            peer=None,
            looked_up=False,
            addresses=(),
            protocols=asked.protocols if asked else (),
            values=_of_requests(asked) | ({} if bridged is None else _of_window(bridged, bridged.at)),
            score=score if finding is None else finding.score,
            alert=finding is not None and finding.alert,
            window=None if bridged is None else int(bridged.found.begin[bridged.at]),
            windows={} if bridged is None else _of_windows(bridged),
        )


def _of_requests(asked: Asked | None) -> dict[str, Value]:
    if asked is None:
        return {}
    return {
        "proxy_requests": float(asked.requests),
        "granted": float(asked.granted),
        "onward_legs": float(asked.onward),
    }


def _of_windows(bridged: Bridged) -> dict[int, Mapping[str, Value]]:
    """The factors of the windows as long as the worst, of those that began together the one that scored most."""
    found: dict[int, Mapping[str, Value]] = {}
    same = bridged.found.length[bridged.rows] == bridged.found.length[bridged.at]
    for row in bridged.rows[np.argsort(bridged.scores, kind="stable")].tolist():
        if same[np.searchsorted(bridged.rows, row)]:
            found[int(bridged.found.begin[row])] = _of_window(bridged, row)
    return found


def _of_window(bridged: Bridged, row: int) -> dict[str, Value]:
    """The factors of one window; where this sensor cannot tell, None."""
    values = {name: float(bridged.found.columns[name][row]) for name in COMPARED}
    return {name: None if np.isnan(value) else value for name, value in values.items()}
