"""Who is compared, and under which views each is asked: the bundled detector, the rivals plain and gated, controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

OURS = "builtin"
VIEWS = ("full", "no-state", "no-app", "no-sni")
RIVALS = (
    "rita",
    "rita:modifiers",
    "elastic",
    "elastic:jitter=0.4",
    "sentinel",
    "baywatch",
    "zhang-paxson",
    "symmetry-only",
)
CONTROLS = ("timing-only", "rarity-only")
#: A day of a phone costs these more than all others together: asked of one seed a side, under the full view.
COSTLY = ("elastic:jitter=0.4",)


def gated(detector: str) -> str:
    """The same detector with the baseline gate.

    >>> gated("rita"), gated("rita:modifiers")
    ('rita:gate', 'rita:modifiers,gate')
    """
    return f"{detector},gate" if ":" in detector else f"{detector}:gate"


def entrants() -> tuple[str, ...]:
    """Everybody."""
    return (OURS, *RIVALS, *(gated(one) for one in RIVALS), *CONTROLS)


def asked(detectors: Sequence[str], views: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(detector, views under which it is asked) for each detector.

    Nobody but ours looks at the state of a device, so that nobody else is asked under ``no-state``: see ``alike``.
    """
    return tuple((name, tuple(view for view in views if _is_asked(name, view))) for name in detectors)


def alike(detectors: Sequence[str], views: Sequence[str]) -> Mapping[tuple[str, str], str]:
    """(detector, view) -> the view under which it says the same and is asked; a test holds that against code."""
    return {(name, "no-state"): "full" for name in detectors if "no-state" in views and name != OURS}


def _is_asked(detector: str, view: str) -> bool:
    if detector == OURS or view == "full":
        return True
    return view != "no-state" and not costly(detector)


def costly(detector: str) -> bool:
    """Whether a detector is to be asked as little as shows what it can do: one seed a side, the full view."""
    return detector.removesuffix(",gate") in COSTLY
