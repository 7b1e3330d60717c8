"""The baseline gate as a rival wears it: every raw score times how far the destination lies outside the baseline.

``NAME:gate``, or ``gate`` as the last word of an argument (``rita:modifiers,gate``), asks for it. It is the gate of
detector/features/baseline_deviation.py for each connection's device, app and destination, read as the baseline reads
them; a group's is the mean over its connections, whatever it groups by: the app's over all that it opened, where a tool
groups by app. Rule: it multiplies and nothing else, so that a formula with it is fairly held against ours.

Without a baseline, the telemetry under judgement is surveyed; that is known at its end, and then it is decided.
Raised wrongly by what belongs to one user, as the gate itself is; of a group without a connection that can be asked
about (who only answers) it knows nothing, and is 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from detector.baseline import Asked, Baseline, survey
from detector.columns import NULL, Codes, Int64, codes, numbered, whole
from detector.contract import Telemetry
from detector.features.baseline_deviation import baseline_gate
from detector.flow_columns import Flows
from detector.grouped import Float64
from detector.learned.gathering import Said, categories_of, looked_up, opened_rows, spoken_to
from detector.rivals.pairs import Who
from detector.rivals.verdicts import Weights
from detector.tables import SCHEMAS

WORD = "gate"


def gate_word(argument: str) -> tuple[str, bool]:
    """What is left of an argument without the gate's word, and whether it was there, at the end.

    >>> gate_word("modifiers,gate"), gate_word("gate"), gate_word("gate,modifiers"), gate_word(",gate")
    (('modifiers', True), ('', True), ('gate,modifiers', False), (',gate', False))
    """
    if argument == WORD:
        return "", True
    rest = argument.removesuffix(f",{WORD}")
    return (rest, True) if rest and rest != argument else (argument, False)


@dataclass(frozen=True)
class Gate:
    """The gate on one telemetry; where it is not ``wanted``, its weights change nothing."""

    telemetry: Telemetry
    wanted: bool

    def of_rows(self, group: Int64, row: Int64, count: int) -> Weights:
        """Of ``count`` groups of rows of the flows table: (n,) the group and the row of each."""
        if not self.wanted:
            return Weights()
        known = np.flatnonzero(~np.isnan(self._of_flow[row]))
        return self._mean(group[known], self._of_flow[row[known]], count)

    def of_apps(self, row: Int64) -> Weights:
        """(a,) of the devices' apps that these rows of flows are of, each over all that it opened."""
        if not self.wanted:
            return Weights()
        flows = self.telemetry["flows"]
        app, _ = numbered(codes(flows["device"]).code, whole(flows["uid"]), codes(flows["package"]).code)
        place = np.full(int(app.max(initial=NULL)) + 1, NULL, np.int64)
        place[app[row]] = np.arange(len(row))
        group = place[app]
        rows = np.flatnonzero(group != NULL)
        return self.of_rows(group[rows], rows, len(row))

    def of_lookups(self, who: Who) -> Weights:
        """Of groups of look-ups by device and domain."""
        if not self.wanted:
            return Weights()
        flows = self.telemetry.tables.get("flows", SCHEMAS["flows"].empty_table())
        said = looked_up(self.telemetry["dns"], Flows.read(flows))
        pairs = [(who.device.text(k), who.peer.text(k)) for k in range(len(who))]
        place = {pair: k for k, pair in enumerate(pairs)}
        both, first = numbered(said.device.code, said.destination.code)
        known = [place.get((said.device.text(k), said.destination.text(k)), NULL) for k in first.tolist()]
        group = np.array(known, np.int64)[both] if len(both) else both
        rows = np.flatnonzero(group != NULL)
        return self._mean(group[rows], self._of_said(said)[rows], len(who))

    def of_each(self, device: Codes, package: Codes, destination: Codes) -> Weights:
        """(g,) of each device, app and destination as given."""
        if not self.wanted:
            return Weights()
        said = Said(device, package, destination, np.zeros(len(device.code), np.int64))
        return Weights(self._of_said(said), self._since)

    def _mean(self, group: Int64, value: Float64, count: int) -> Weights:
        many = np.bincount(group, minlength=count)
        total = np.bincount(group, value, count)
        return Weights(np.where(many > 0, total / np.maximum(many, 1), 1.0), self._since)

    @cached_property
    def _baseline(self) -> Baseline:
        return self.telemetry.baseline or survey(self.telemetry)

    @property
    def _since(self) -> int | None:
        return self.telemetry.span[1] if self._baseline.itself else None

    @cached_property
    def _of_flow(self) -> Float64:
        """(n,) of every row of flows; NaN of those that the device did not open to somebody."""
        flows = Flows.read(self.telemetry["flows"])
        rows = opened_rows(flows)
        gates = np.full(len(flows.flow), np.nan)
        gates[rows] = self._of_said(spoken_to(flows, rows))
        return gates

    def _of_said(self, said: Said) -> Float64:
        group, first = numbered(said.device.code, said.package.code, said.destination.code)
        kinds = categories_of(self.telemetry.tables.get("packages"))
        one = said.taken(first)
        category = one.package.renamed([kinds.get(text, "") for text in one.package.texts])
        unknown = np.array([not text for text in category.texts] + [True])[category.code]
        category = Codes(np.where(unknown, NULL, category.code), category.texts)
        return baseline_gate(self._baseline.deviation(Asked(one.device, one.package, category, one.destination)))[group]
