"""Vega-Lite specifications of the report's plots, made by Altair, without data.

``plots.json`` holds what ``specifications`` makes (``python -m lab.report.plots`` writes it, a test compares), so that
nobody who writes a report waits for Altair. Rows come at drawing time as the data set ``rows``, whose fields each
function names. Colours are custom properties of report.css: a plot follows light, dark and print without being redrawn.
Never to be added here: data, a title from data, an expression made of data.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

FROZEN = Path(__file__).parent / "plots.json"
SERIES = [f"var(--series-{number})" for number in range(8)]
HEAT = [f"var(--heat-{number})" for number in range(11)]
LANES = ["conversations", "screen on", "locked", "dozing"]
LANE_COLOURS = ["var(--accent)", "var(--series-1)", "var(--shade)", "var(--series-3)"]
UNIT = (0.0, 1.0)
COST = "false alarms per device-day"
DECADES = [0, 0.001, 0.01, 0.1, 1, 10, 100, 1000]  # of a symmetric logarithmic axis: 0 has a place on it


def specifications() -> dict[str, dict[str, Any]]:
    """Every plot by name, as Vega-Lite's JSON."""
    made: dict[str, Callable[[], Any]] = {
        "curve": _curve,
        "rivals": _rivals,
        "timing": _timing,
        "sizes": _sizes,
        "factors": _factors,
        "boundary": _boundary,
    }
    return {name: _plain(chart()) for name, chart in made.items()}


def _plain(chart: alt.LayerChart) -> dict[str, Any]:
    """The chart in our colours; without its schema's address, since a report names none."""
    text = {"labelColor": "var(--soft)", "titleColor": "var(--soft)", "labelFontSize": 12, "titleFontSize": 12}
    lines = {"gridColor": "var(--line)", "domainColor": "var(--line)", "tickColor": "var(--line)"}
    told: dict[str, Any] = (
        chart.properties(width="container", background="transparent", autosize={"type": "fit-x", "contains": "padding"})
        .configure(aria=False, font="system-ui, sans-serif")
        .configure_axis(**text, **lines, titleFontWeight="normal")
        .configure_legend(**text, orient="bottom", columns=3, titleFontWeight="normal", labelLimit=220)
        .configure_view(stroke="var(--line)")
        .to_dict()
    )
    told.pop("$schema")
    return told


def _rows() -> Any:
    import altair as alt

    return alt.NamedData(name="rows")


def _curve() -> Any:
    """Precision over recall. Rows: detector, recall, precision, kind (``step`` or ``at``: its own threshold)."""
    import altair as alt

    base = alt.Chart(_rows()).encode(
        x=alt.X("recall:Q", title="recall", scale=alt.Scale(domain=UNIT), axis=alt.Axis(tickCount=5)),
        y=alt.Y("precision:Q", title="precision", scale=alt.Scale(domain=UNIT)),
        color=alt.Color("detector:N", title=None, scale=alt.Scale(range=SERIES)),
    )
    line = base.mark_line(interpolate="step-before", strokeWidth=2).encode(order="recall:Q")
    dots = base.mark_point(filled=True, size=18).transform_filter("datum.kind == 'step'")
    at = base.mark_point(size=130, shape="diamond", strokeWidth=2).transform_filter("datum.kind == 'at'")
    return alt.layer(line.transform_filter("datum.kind == 'step'"), dots, at).properties(height=260)


def _rivals() -> Any:
    """Recall over false alarms, with intervals.

    Rows: detector, alarms, alarms_low, alarms_high (a device-day), recall, recall_low, recall_high, budget.
    """
    import altair as alt

    cost = alt.Scale(type="symlog", constant=0.001, domainMin=0, nice=False)
    ticks = alt.Axis(values=DECADES, format=",~r", labelOverlap=True)
    rows = _rows()
    base = alt.Chart(rows).encode(color=alt.Color("detector:N", title=None, scale=alt.Scale(range=SERIES)))
    alarms = alt.X("alarms:Q", title=COST, scale=cost, axis=ticks)
    recall = alt.Y("recall:Q", title="recall", scale=alt.Scale(domain=UNIT))
    up = base.mark_rule(opacity=0.6).encode(x=alarms, y=alt.Y("recall_low:Q", title="recall"), y2="recall_high:Q")
    across = base.mark_rule(opacity=0.6).encode(
        x=alt.X("alarms_low:Q", title=COST, scale=cost, axis=ticks), x2="alarms_high:Q", y=recall
    )
    dot = base.mark_point(filled=True, size=90, opacity=1).encode(x=alarms, y=recall)
    budget = (
        alt.Chart(rows)
        .mark_rule(strokeDash=[4, 4], color="var(--bad)")
        .encode(x=alt.X("budget:Q", title=COST, scale=cost, axis=ticks))
    )
    return alt.layer(budget, up, across, dot).properties(height=280)


def _timing() -> Any:
    """When an app spoke, over what its phone was doing. Rows: lane (one of LANES), from, to (ms since the epoch)."""
    import altair as alt

    base = alt.Chart(_rows()).mark_bar(height=alt.RelativeBandSize(0.8))
    drawn = base.encode(
        x=alt.X(
            "from:T",
            title="UTC",
            scale=alt.Scale(type="utc", nice=False),
            axis=alt.Axis(format="%H:%M", labelOverlap=True, labelSeparation=8),
        ),
        x2="to:T",
        y=alt.Y("lane:N", title=None, sort=LANES, scale=alt.Scale(domain=LANES), axis=alt.Axis(domain=False)),
        color=alt.Color("lane:N", legend=None, scale=alt.Scale(domain=LANES, range=LANE_COLOURS)),
    )
    return alt.layer(drawn).properties(height=26 * len(LANES))


def _sizes() -> Any:
    """What was said, in bytes. Rows: up, down (at least 1: the axes are logarithmic)."""
    import altair as alt

    drawn = (
        alt.Chart(_rows())
        .mark_circle(size=36, opacity=0.45, color="var(--accent)")
        .encode(
            x=alt.X(
                "up:Q",
                title="bytes up",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(labelOverlap=True, labelSeparation=8, tickCount=4, grid=False),
            ),
            y=alt.Y("down:Q", title="bytes down", scale=alt.Scale(type="log"), axis=alt.Axis(tickCount=4, grid=False)),
        )
    )
    return alt.layer(drawn).properties(height=220)


def _factors() -> Any:
    """What each factor carries of the score, most first. Rows: factor, carries."""
    import altair as alt

    drawn = (
        alt.Chart(_rows())
        .mark_bar(color="var(--accent)", height=alt.RelativeBandSize(0.7))
        .encode(
            x=alt.X("carries:Q", title="carries of the score"),
            y=alt.Y("factor:N", title=None, sort=None, axis=alt.Axis(labelLimit=170)),
        )
    )
    return alt.layer(drawn).properties(height=240)


def _boundary() -> Any:
    """A heat map with the lines where recall crosses one half and 95 %, and the limit that theory sets.

    Columns and rows are counted 0, 1, ...; ``xs`` and ``ys`` name them. Rows: kind (``cell``: x, y, heat, told;
    ``half``, ``most``: x, y, x2, y2 of a piece of line; ``limit``: x, y, in order).
    """
    import altair as alt

    names = [
        alt.Parameter(name="xs", param=alt.VariableParameter(name="xs", value=[])),
        alt.Parameter(name="ys", param=alt.VariableParameter(name="ys", value=[])),
    ]
    scale = alt.Scale(nice=False, zero=False)
    across = alt.X("x:Q", title=None, scale=scale, axis=alt.Axis(grid=False, labelExpr="xs[floor(datum.value)]"))
    down = alt.Y("y:Q", title=None, scale=scale, axis=alt.Axis(grid=False, labelExpr="ys[floor(datum.value)]"))
    base = alt.Chart(_rows()).encode(x=across, y=down)
    heat = alt.Color("heat:O", legend=None, scale=alt.Scale(domain=list(range(11)), range=HEAT))
    cell = base.mark_rect(stroke="var(--card)").encode(x2="x2:Q", y2="y2:Q", color=heat)
    middle = alt.X("x3:Q"), alt.Y("y3:Q")
    dark = alt.condition("datum.heat < 3 || datum.heat == 10", alt.value("white"), alt.value("var(--on-heat)"))
    told = base.mark_text(fontSize=12).encode(x=middle[0], y=middle[1], text="told:N", color=dark)
    half, most = (
        base.mark_rule(strokeWidth=3, strokeDash=dash, color="var(--ink)").encode(x2="x2:Q", y2="y2:Q")
        for dash in ([1, 0], [5, 4])
    )
    halo, limit = (
        base.mark_line(strokeWidth=width, color=colour, point={"color": colour, "size": 8 * width}).encode(order="at:Q")
        for width, colour in ((7, "var(--card)"), (3, "var(--series-2)"))
    )
    layers = {"cell": cell, "text": told, "half": half, "most": most, "halo": halo, "limit": limit}
    kinds = {"text": "cell", "halo": "limit"}
    chart = alt.layer(
        *(layer.transform_filter(f"datum.kind == '{kinds.get(name, name)}'") for name, layer in layers.items())
    )
    return chart.add_params(*names).properties(height=280)


if __name__ == "__main__":
    FROZEN.write_text(json.dumps(specifications(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
