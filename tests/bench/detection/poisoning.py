"""What an implant gains that was there while the baseline was learned: recall at the threshold that stays frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.bench.detection.board import Board, Incident, picked
from tests.bench.detection.entrants import OURS
from tests.bench.detection.splits import TEST
from tests.bench.detection.tables import found_share, measure

VIEW = "full"


def table(clean: Board, poisoned: Mapping[float, Board], analytics: Sequence[str]) -> list[str]:
    """A row for each share of poison, a column for each analytic; the same scenarios and seeds in every row.

    The clean row is of those incidents that the poisoned boards have.
    """
    names = " | ".join(f"{one}: found (95 %)" for one in analytics)
    lines = [f"| implants there already | {names} |", f"|---|{'---|' * len(analytics)}"]
    some = next(iter(poisoned.values()))
    known = {(one.scenario, one.seed, one.name) for one in some.incidents}
    for share, board in {0.0: clean, **poisoned}.items():
        cells = [_cell(clean, board, analytic, known) for analytic in analytics]
        lines.append(f"| {share:.0%} | {' | '.join(cells)} |")
    return lines


def _cell(clean: Board, board: Board, analytic: str, known: set[tuple[str, int, str]]) -> str:
    frozen = measure(clean, OURS, VIEW, analytic)
    if frozen is None or not board.judging(OURS, VIEW, analytic, TEST):
        return "-"

    def same(incident: Incident) -> bool:
        return (incident.scenario, incident.seed, incident.name) in known

    incidents, ranked = board.ranked(OURS, VIEW, analytic, TEST)
    return found_share(picked(incidents, ranked, same), frozen.threshold)
