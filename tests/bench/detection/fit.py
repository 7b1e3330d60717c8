"""Weights that stay explainable: logistic regression whose weights are never negative, every incident counting once.

Pure numpy. The penalty is quadratic, on the weights and not on the bias, so that two factors which say the same share
the weight instead of one taking all. Nothing here knows what a factor means, and no threshold is chosen here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
STEPS = 400
ENOUGH = 1e-7  # change of any weight below which it is at rest


@dataclass(frozen=True)
class Fitted:
    """The weights of k factors and the bias; ``loss`` is the mean penalised loss they were left with."""

    weights: Float64  # (k,) >= 0
    bias: float
    loss: float
    steps: int

    def logits(self, factors: Float64) -> Float64:
        """(g,) weighted sums plus bias of (g, k) factors."""
        found: Float64 = factors @ self.weights + self.bias
        return found


def masses(incident: Int64) -> Float64:
    """(g,) weights of the rows: incidents together as heavy as the innocent together, each incident once.

    ``incident`` is the number of the incident that a row is about, -1 for none. A row of an incident that has four
    weighs a quarter of it.

    >>> masses(np.array([-1, -1, 3, 3, 5])).tolist()
    [0.25, 0.25, 0.125, 0.125, 0.25]
    """
    guilty = incident >= 0
    found = np.zeros(len(incident))
    found[~guilty] = 0.5 / max(1, int((~guilty).sum()))
    if guilty.any():
        _, place, count = np.unique(incident[guilty], return_inverse=True, return_counts=True)
        found[guilty] = 0.5 / len(count) / count[place]
    return found


def fitted(factors: Float64, incident: Int64, *, penalty: float) -> Fitted:
    """Non-negative weights of (g, k) factors in 0..1; ``incident`` (g,) as for masses. ValueError without both kinds.

    Newton steps on the free weights, projected onto what is not negative (Bertsekas, SIAM J. Control 20, 1982, from
    memory), each halved until the loss falls.
    """
    guilty = (incident >= 0).astype(np.float64)
    if not guilty.any() or guilty.all():
        raise ValueError(f"rows: found {int(guilty.sum())} of {len(guilty)} guilty, expected some of both kinds")
    mass, design = masses(incident), np.column_stack([factors, np.ones(len(factors))])
    ridge = np.append(np.full(factors.shape[1], penalty), 0.0)
    at = np.zeros(design.shape[1])
    loss = _loss(design, guilty, mass, ridge, at)
    step = 0
    for step in range(1, STEPS + 1):  # noqa: B007 - how many it took is told
        new, loss = _stepped(design, guilty, mass, ridge, at, loss)
        rest, at = float(np.abs(new - at).max()), new
        if rest < ENOUGH:
            break
    return Fitted(at[:-1], float(at[-1]), loss, step)


def _stepped(
    design: Float64, guilty: Float64, mass: Float64, ridge: Float64, at: Float64, loss: float
) -> tuple[Float64, float]:
    chance = _sigmoid(design @ at)
    slope = design.T @ (mass * (chance - guilty)) + ridge * at
    free = (at > 0) | (slope < 0)
    free[-1] = True
    inner = design[:, free]
    bend = (inner * (mass * chance * (1 - chance))[:, None]).T @ inner + np.diag(ridge[free] + 1e-9)
    along = np.zeros(len(at))
    along[free] = np.linalg.solve(bend, slope[free])
    for halved in range(30):
        new = at - along * 0.5**halved
        new[:-1] = np.maximum(new[:-1], 0.0)
        now = _loss(design, guilty, mass, ridge, new)
        if now <= loss:
            return new, now
    return at, loss


def _loss(design: Float64, guilty: Float64, mass: Float64, ridge: Float64, at: Float64) -> float:
    z = design @ at
    return float(mass @ (np.logaddexp(0.0, z) - guilty * z) + 0.5 * ridge @ (at * at))


def _sigmoid(z: Float64) -> Float64:
    found: Float64 = 0.5 * (1 + np.tanh(z / 2))
    return found
