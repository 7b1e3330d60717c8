"""Who is tuned on and who is tested on: disjoint by seed, hence by device, by package, and by family of scenarios.

Pure. A seed is one cast of people, phones, hosts and times, and belongs to one side. A package belongs to the side that
a keyed hash of its name says, the same for ever; apps of the library are in every cast, so that on the calibration side
nothing of a test-side package is looked at, while a test is told of all and, apart, of test-side packages alone. The
families of scenarios/held-out.toml are never tuned on. Time runs forward: what is learnt lies before what is judged.

What this does not part: the file of a scenario whose package is on the calibration side is also played in the test,
with another cast. Only the columns of test-side packages and of the families held out are of files never tuned on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

CALIBRATION, TEST = "calibration", "test"
KEY = b"droidrange, issue 5"  # changed, it would make every earlier test a calibration


@dataclass(frozen=True)
class Splits:
    """The seeds of both sides and the scenarios never tuned on; ValueError where a seed is on both sides or none."""

    calibration: tuple[int, ...]
    test: tuple[int, ...]
    held_out: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if both := {*self.calibration} & {*self.test}:
            raise ValueError(f"seeds: found {sorted(both)} on both sides, expected each on one")
        if not self.calibration or not self.test:
            raise ValueError("seeds: found a side without any, expected at least one on each")

    def side(self, seed: int) -> str:
        """The side of a seed; LookupError for one that was not given."""
        if seed in self.calibration:
            return CALIBRATION
        if seed in self.test:
            return TEST
        raise LookupError(f"seed: found {seed}, expected one of {sorted({*self.calibration, *self.test})}")

    def tunable(self, seed: int, scenario: str, package: str | None) -> bool:
        """Whether a weight or threshold may be chosen by what this package did there.

        A sensor that does not know apps cannot keep packages apart: what has no package may be tuned on, as its seed
        and scenario allow.
        """
        ours = package is None or side_of(package) == CALIBRATION
        return ours and scenario not in self.held_out and self.side(seed) == CALIBRATION

    def fresh(self, seed: int, scenario: str, package: str | None) -> bool:
        """Whether nothing of it was tuned on: the seed is a test's, and so is the package or the whole family."""
        if self.side(seed) != TEST:
            return False
        return scenario in self.held_out or (package is not None and side_of(package) == TEST)


def side_of(package: str) -> str:
    """The side a package belongs to, half of all on each.

    >>> {side_of(f"com.example.app{k}") for k in range(20)} == {CALIBRATION, TEST}
    True
    """
    digest = hashlib.blake2b(package.encode(), key=KEY, digest_size=8).digest()
    return TEST if digest[0] & 1 else CALIBRATION
