"""What it costs that look-alikes are as new as implants: recall and false alarms by the share of them that is new."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tests.bench.detection.board import Board
from tests.bench.detection.entrants import OURS
from tests.bench.detection.splits import TEST
from tests.bench.detection.sweep import threshold_within
from tests.bench.detection.tables import BUDGET, NOTHING, alarm_rate, found_share, measure

VIEW = "full"
HEAD = (
    "| look-alikes that are new | analytic | recall at the frozen threshold (95 %) "
    "| false alarms per 1,000 device-days (95 %) | recall within the budget (95 %) |\n|--:|---|---|---|---|"
)


def table(usual: Board, boards: Mapping[float, Board], analytics: Sequence[str]) -> list[str]:
    """A row for each share of look-alikes that are new and each analytic; the same scenarios and seeds in every row.

    The threshold is frozen on the calibration side of ``usual``, which has the usual share. Within the budget it is
    chosen anew on the very device-days of the row: no threshold would find more of them.
    """
    days = max((board.device_days(range(len(board.contents)), VIEW, TEST) for board in boards.values()), default=0.0)
    allowed = math.floor(BUDGET * days + 1e-9)
    about = (
        f"{days:,.0f} device-days in every row: the budget is {allowed} false alarms, chosen anew on these very days."
    )
    rows = [_row(usual, share, board, analytic) for analytic in analytics for share, board in sorted(boards.items())]
    return [about, "", HEAD, *rows]


def _row(usual: Board, share: float, board: Board, analytic: str) -> str:
    cells = [f"{100 * share:.3g} %", analytic, *_cells(usual, board, analytic)]
    return f"| {' | '.join(cells)} |"


def _cells(usual: Board, board: Board, analytic: str) -> tuple[str, str, str]:
    frozen = measure(usual, OURS, VIEW, analytic)
    if frozen is None or not board.judging(OURS, VIEW, analytic, TEST):
        return NOTHING, NOTHING, NOTHING
    _, ranked = board.ranked(OURS, VIEW, analytic, TEST)
    best = found_share(ranked, threshold_within(ranked, BUDGET))
    return found_share(ranked, frozen.threshold), alarm_rate(ranked, frozen.threshold), best
