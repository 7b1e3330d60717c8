"""The shape of a scorecard's ``detectors``: what was measured of each detector, view and analytic. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Analytic = Literal["AN1793", "AN1702"]
Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Interval = Annotated[list[float], Field(min_length=2, max_length=2, description="95 %, lower and upper end")]


class Strict(BaseModel):
    """An object that has these keys and no others."""

    model_config = ConfigDict(extra="forbid")


class Statuses(Strict):
    """How many trials ended how; one that failed or was unsupported has no score."""

    scored: Count
    unsupported: Count
    failed: Count


class Quantiles(Strict):
    """Over the detected incidents, n of them."""

    p50: Amount | None
    p90: Amount | None
    n: Count


class Recall(Strict):
    """Detected of all incidents, Wilson interval; the unseen count as not detected."""

    incidents: Count
    detected: Count
    unseen: Annotated[int, Field(ge=0, description="not detected, and no row of the view is of them")]
    recall: Share | None
    recall_ci: Interval | None


class Alarms(Strict):
    """False alarms over the device-days judged, exact Poisson interval; null where nothing could be judged."""

    false_alarms: Count | None
    false_alarms_per_device_day: Amount | None
    fa_ci: Interval | None


class OfBehaviour(Recall):
    """One kind of behaviour; time in seconds from the start of the incident to the decision."""

    time_to_detect_s: Quantiles
    contacts_to_detect: Quantiles


class OfCategory(Recall, Alarms):
    """One category of apps; false alarms are those that blame an app of it."""


class CurvePoint(Strict):
    """One threshold of a ranking: alerting from it on, and what that is worth."""

    threshold: float
    precision: Share
    recall: Share
    hits: Count
    wrong: Count


class OfAnalytic(OfBehaviour, Alarms):
    """One analytic, one detector, one view."""

    trials: Annotated[Statuses, Field(description="to be scored a trial must have judged this analytic")]
    device_days: Amount
    false_alarms_listed: Annotated[int, Field(ge=0, description="how many of them are rows of false_alarms")]
    duplicates: Count
    pr_auc: Annotated[Share | None, Field(description="average precision")]
    pr_curve: Annotated[list[CurvePoint], Field(description="where recall grows, from the highest score down")]
    recall_at_budget: Share | None
    by_behaviour: dict[str, OfBehaviour]
    by_category: Annotated[dict[str, OfCategory], Field(description="'unknown' where the sensor shows no apps")]


class Cell(Strict):
    """One detector under one view; analytics are absent where no trial was scored."""

    trials: Statuses
    device_days: Amount
    analytics: dict[Analytic, OfAnalytic]


class OfDetector(Strict):
    """One detector under its views."""

    views: dict[str, Cell]
