"""pytest's items of a suite: each is told its end beforehand, and passes, fails, is skipped or an error accordingly."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lab.asserting.judged import Judged

MARK = "droidrange"


class SuiteNode(pytest.Collector):
    """The suite, in which the items stand."""

    def __init__(self, *, found: Iterable[Judged], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.found = tuple(found)

    def collect(self) -> Iterable[pytest.Item]:
        """An item for each."""
        return [JudgedItem.from_parent(self, name=one.name, found=one) for one in self.found]


class JudgedItem(pytest.Item):
    """One incident, threshold or piece of evidence."""

    def __init__(self, *, found: Judged, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.found = found
        self.add_marker(MARK)

    def setup(self) -> None:
        """An error where there is no evidence; skipped where nothing was to be judged."""
        if self.found.end == "no-evidence":
            pytest.fail("\n".join(self.found.lines), pytrace=False)
        if self.found.end == "skipped":
            pytest.skip(self.found.lines[0])

    def runtest(self) -> None:
        """A failure where it is broken; an expected one where that decides nothing."""
        if self.found.end == "told":
            pytest.xfail(self.found.lines[0])
        if self.found.end == "broken":
            pytest.fail("\n".join(self.found.lines), pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it stands: nowhere in a file."""
        return self.path, None, self.name


def items_of(session: pytest.Session, suite: str, found: Iterable[Judged]) -> list[pytest.Item]:
    """The items, below a node named after the suite."""
    node = SuiteNode.from_parent(session, name=f"droidrange:{suite}", nodeid=f"droidrange:{suite}", found=found)
    return list(node.collect())
