"""What is known around the contacts of AN1793: tables, states, inventory, baseline. Facts, no judgement.

Views without a table lose what only it could tell, and nothing else: the columns that need it become unknown (NaN).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from detector.analytics.polling_fronts import Fronts
from detector.baseline import Asked, Baseline, Deviation, survey
from detector.claims import judged_by
from detector.columns import NULL, Codes, Int64, codes
from detector.contacts import Crowd, Flows, Pairs, outbound_rows
from detector.contacts import flow_pairs as pairs_of_flows
from detector.contacts import lookup_pairs as pairs_of_lookups
from detector.contract import Telemetry
from detector.features.night_coverage import quiet_hours
from detector.features.stack_first_use import solitary
from detector.fleet_states import FleetStates
from detector.flow_columns import destinations
from detector.grouped import Float64
from detector.inventory import Installed, Inventory, read_inventory
from detector.lookups import Lookups, read_lookups

#: Labels of flow protocols that hide their server's name in the hello.
WITH_SNI = frozenset({"tls", "https", "quic"})


@dataclass(frozen=True)
class Surroundings:
    """One telemetry as AN1793 reads it, prepared once for all groups."""

    telemetry: Telemetry
    flows: Flows | None
    lookups: Lookups | None
    states: FleetStates | None
    inventory: Inventory
    baseline: Baseline
    ignored_ports: frozenset[int]
    usual: dict[str, frozenset[str]] = field(default_factory=dict)  # filled as it is asked for

    @classmethod
    def read(cls, telemetry: Telemetry, ignored_ports: frozenset[int]) -> Surroundings:
        """The telemetry prepared; without a learned baseline what the telemetry itself tells of others."""
        flows = Flows.read(telemetry["flows"]) if "flows" in telemetry else None
        return cls(
            telemetry=telemetry,
            flows=flows,
            lookups=read_lookups(telemetry["dns"], flows) if "dns" in telemetry else None,
            states=FleetStates.read(telemetry["device_state"]) if "device_state" in telemetry else None,
            inventory=read_inventory(telemetry.tables.get("packages")),
            baseline=telemetry.baseline or survey(telemetry, flows),
            ignored_ports=ignored_ports,
        )

    @property
    def span(self) -> tuple[int, int]:
        """First and last time covered, microseconds."""
        return self.telemetry.span

    @cached_property
    def devices(self) -> int:
        """How many devices this telemetry shows, whatever was learned of others."""
        if self.baseline.itself:
            return self.baseline.devices
        shown = [said.device for said in (self.flows, self.lookups) if said is not None]
        return len({device.texts[code] for device in shown for code in np.unique(device.code).tolist()})

    @property
    def exchanges(self) -> pa.Table | None:
        """The exchanges inside flows, where the sensor has them."""
        return self.telemetry.tables.get("exchanges")

    @cached_property
    def flow_pairs(self) -> Pairs | None:
        """Who opened flows to whom."""
        if self.flows is None:
            return None
        rows = outbound_rows(self.flows, self.lookups, self.ignored_ports)
        return pairs_of_flows(self.flows, rows, self.judged)

    @cached_property
    def judged(self) -> Codes | None:
        """(flows,) whom those are judged by whose name no answer bears out, else NULL; None: no look-ups are seen."""
        said, asked = self.flows, self.lookups
        if said is None or asked is None or not len(asked.answers.domain):
            return None
        answered = (asked.device, asked.domain, asked.answers)
        return judged_by(said.device, (said.target, said.name), said.server, answered)

    @cached_property
    def claimed(self) -> Codes:
        """(flows,) whom each says it is with: see flow_columns.spoken."""
        assert self.flows is not None
        return destinations(self.flows, np.arange(len(self.flows.flow)))

    @cached_property
    def fronts(self) -> Fronts | None:
        """The decrypted requests, where there are any."""
        return Fronts.read(self.telemetry["flows"], self.telemetry["http"]) if "http" in self.telemetry else None

    @cached_property
    def lookup_pairs(self) -> Pairs | None:
        """Who asked for what nobody then connected to."""
        return None if self.lookups is None else pairs_of_lookups(self.lookups)

    @cached_property
    def sni_seen(self) -> bool:
        """Whether this sensor reads server names out of hellos."""
        if self.flows is None:
            return False
        hello = self.telemetry["flows"]["sni"]
        return bool(WITH_SNI.intersection(self.flows.app_proto.texts)) and hello.null_count < len(hello)

    @cached_property
    def quiet(self) -> dict[bool, Int64]:
        """By whether of look-ups: (devices,) the hour at which each device's six quiet hours begin."""
        first = self.span[0]
        return {
            isinstance(said, Lookups): quiet_hours(said.device.code, said.time, first, len(said.device.texts))
            for said in (self.flows, self.lookups)
            if said is not None
        }

    @cached_property
    def stacks(self) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
        """(flows,) ``alone`` and ``known`` of features.stack_first_use, False for what is no contact."""
        pairs, alone, known = self.flow_pairs, *np.zeros((2, 0), np.bool_)
        if pairs is None or self.flows is None:
            return alone, known
        ja4 = codes(self.telemetry["flows"]["ja4"])
        alone, known = np.zeros((2, len(self.flows.flow)), np.bool_)
        if ja4.texts:
            whom = np.repeat(pairs.destination.code, np.diff(pairs.edges))
            found = solitary(self.flows.package.code[pairs.rows], ja4.code[pairs.rows], whom)
            alone[pairs.rows], known[pairs.rows] = found
        return alone, known

    def destination_of(self, rows: Int64, *, looked_up: bool) -> Codes:
        """(n,) the destination of some rows of flows or dns that belong to a pair."""
        pairs = self._pairs(looked_up)
        table = np.full(len(pairs.said.flow), NULL, np.int64)
        table[pairs.rows] = np.repeat(pairs.destination.code, np.diff(pairs.edges))
        return Codes(table[rows], pairs.destination.texts)

    def _pairs(self, looked_up: bool) -> Pairs:  # noqa: FBT001 - says which of the two
        pairs = self.lookup_pairs if looked_up else self.flow_pairs
        assert pairs is not None
        return pairs

    def usual_protocols(self, category: str) -> frozenset[str]:
        """The protocols that the baseline vouches for in a category."""
        if category not in self.usual:
            self.usual[category] = self.baseline.protocols(category) or frozenset()
        return self.usual[category]

    def apps(self, crowd: Crowd) -> tuple[Int64, list[Installed | None]]:
        """(g,) the number of each group's app, and what the inventory holds of each."""
        return self._installed(crowd.pairs.app[crowd.pair], crowd.device, crowd.uid, crowd.package)

    def _installed(self, app: Int64, device: Codes, uid: Int64, package: Codes) -> tuple[Int64, list[Installed | None]]:
        _, heads, place = np.unique(app, return_index=True, return_inverse=True)
        found = []
        for k in heads.tolist():
            number = int(uid[k])
            found.append(self.inventory.find(device.text(k) or "", None if number == NULL else number, package.text(k)))
        return place.astype(np.int64), found

    def baseline_of(self, pairs: Pairs) -> Baseline:
        """The baseline that knows destinations as those pairs have them."""
        return self.baseline.hosts if pairs.by_host else self.baseline

    def deviation(self, pairs: Pairs) -> Deviation:
        """(p,) how unusual each pair is."""
        category = self.categories(pairs)
        return self.baseline_of(pairs).deviation(Asked(pairs.device, pairs.package, category, pairs.destination))

    def categories(self, pairs: Pairs) -> Codes:
        """(p,) the category of each pair's app; NULL where unknown."""
        place, apps = self._installed(pairs.app, pairs.device, pairs.uid, pairs.package)
        named = [app.category if app is not None and app.category else None for app in apps]
        texts = sorted({text for text in named if text})
        number = {text: k for k, text in enumerate(texts)}
        code = np.array([NULL if text is None else number[text] for text in named], np.int64)
        return Codes(code[place], texts)


def others(pairs: Pairs) -> tuple[Float64, Float64]:
    """(p,) other devices that contact each destination, and (p,) other packages that do.

    NaN packages: apps are unknown, or there is no second one to ask.
    """
    whom = pairs.destination.code
    found = []
    for who in (pairs.device, pairs.package):
        width = len(who.texts) + 1
        distinct = np.unique(whom[who.code != NULL] * width + who.code[who.code != NULL])
        count = np.bincount(distinct // width, minlength=len(pairs.destination.texts))
        found.append(count[whom] - (who.code != NULL).astype(np.float64))
    packages = np.where(len(np.unique(pairs.package.code[pairs.package.code != NULL])) > 1, found[1], np.nan)
    return found[0], packages
