"""The flows stage: a timeline straight to the tables of sensors, without a packet, for thousands of device-days.

The tables are those that the reader of captures would make of the wire stage's recording of the same timeline, within
the tolerances of docs/parity.md. Large fleets are played in blocks of phones: memory holds a block or two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from detector.contract import Advance
from lab.recording import recording_name, seal
from lab.stages.flows.blocks import Block, Tables, block_of, truth_of_all, whole_block
from lab.stages.uncollected import uncollected
from lab.stages.wire import about, refuse_occupied
from lab.store import folder_in_the_making
from lab.timeline import Timeline
from lab.truth import write_truth

Spread = Callable[[Callable[[Timeline], Block], Iterable[Timeline]], Iterator[Block]]  # as map, perhaps elsewhere


def play(timeline: Timeline, folder: Path, *, replace: bool = False, progress: Advance | None = None) -> Path:
    """Writes the recording of the timeline at ``folder``, all or nothing; ``progress`` gets (done, total).

    The same timeline gives the same bytes. There is no capture, and no labelled Zeek log: it would cost more than all
    the rest. No packet is lost: where a network has ``loss``, the manifest says so under ``not_played``. Raises
    FileExistsError if something stands there (unless it is a recording and ``replace``), ScenarioError on a folder name
    no recording may have, StageError on a peer outside the lab, and OSError if the disk fails.
    """
    _refuse(folder, replace=replace)
    with uncollected():
        block = block_of(timeline, progress or (lambda _done, _total: None))
        return _write(iter([block]), folder, _about(timeline))


def play_blocks(
    blocks: Iterable[Timeline],
    folder: Path,
    *,
    phones: int,
    replace: bool = False,
    progress: Advance | None = None,
    spread: Spread = map,
) -> Path:
    """As play, for the blocks of one timeline (lab.scenario.compile_blocks), whose tables stand behind each other.

    ``spread`` plays them, perhaps in other processes, and gives them back in order. ``progress`` gets how many of
    so many ``phones`` are written.
    """
    _refuse(folder, replace=replace)
    head: dict[str, Any] = {}
    played = spread(whole_block, _noted(blocks, head))
    return _write(_told(played, phones, progress), folder, head)


def _told(blocks: Iterator[Block], phones: int, progress: Advance | None) -> Iterator[Block]:
    """The blocks; each is said to be done when the next is asked for."""
    done = 0
    for block in blocks:
        yield block
        done += len(block.truth.devices)
        if progress:
            progress(done, phones)


def _noted(blocks: Iterable[Timeline], head: dict[str, Any]) -> Iterator[Timeline]:
    """The blocks; ``head`` is filled with what the manifest says of their timeline."""
    for block in blocks:
        head.update(_about(block))
        yield block


def _about(timeline: Timeline) -> dict[str, Any]:
    return {**about(timeline, "flows"), "not_played": ["loss"] if timeline.network.loss else []}


def _refuse(folder: Path, *, replace: bool) -> None:
    recording_name(folder)
    refuse_occupied(folder, replace=replace)


def _write(blocks: Iterator[Block], folder: Path, head: dict[str, Any]) -> Path:
    with folder_in_the_making(folder) as making:
        for part in ("telemetry", "truth"):
            (making / part).mkdir()
        truths = []
        with Tables(making) as tables:
            for block in blocks:
                tables.add(block)
                truths.append(block.truth)
        write_truth(truth_of_all(truths), making / "truth")
        seal(making, head)
    return folder
