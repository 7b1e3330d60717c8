"""The flows stage: a timeline straight to the tables of sensors, without a packet, for thousands of device-days.

The tables are those that the reader of captures would make of the wire stage's recording of the same timeline, within
the tolerances of docs/parity.md. Devices are worked on a few at a time: memory holds the tables and little more.
"""

from __future__ import annotations

from dataclasses import replace as replaced
from itertools import chain
from pathlib import Path

from detector.contract import Advance
from lab.recording import recording_name, seal, write_parquet
from lab.stages.awaited import settled
from lab.stages.dialogues import formats_of
from lab.stages.flows.scenes import Played, played
from lab.stages.labels import Places, write_flows
from lab.stages.link import links_of
from lab.stages.sensors import packages_table, sockets_table, states_table
from lab.stages.wire import about, refuse_occupied
from lab.store import folder_in_the_making
from lab.timeline import Timeline
from lab.truth import truth_of, write_truth


def play(timeline: Timeline, folder: Path, *, replace: bool = False, progress: Advance | None = None) -> Path:
    """Writes the recording of the timeline at ``folder``, all or nothing; ``progress`` gets (done, total).

    The same timeline gives the same bytes. There is no capture, and no labelled Zeek log: it would cost more than all
    the rest. No packet is lost: where a network has ``loss``, the manifest says so under ``not_played``. Raises
    FileExistsError if something stands there (unless it is a recording and ``replace``), ScenarioError on a folder name
    no recording may have, StageError on a peer outside the lab, and OSError if the disk fails.
    """
    recording_name(folder)
    refuse_occupied(folder, replace=replace)
    transports = [found.TRANSPORT for found in formats_of(timeline)]
    unplayed = ["loss"] if timeline.network.loss else []
    timeline = replaced(timeline, network=replaced(timeline.network, loss=0.0))
    timeline, links = settled(timeline, links_of(timeline, transports), transports)
    made = played(timeline, links, progress or (lambda _done, _total: None))
    with folder_in_the_making(folder) as making:
        for part in ("telemetry", "truth"):
            (making / part).mkdir()
        _write(timeline, made, making / "telemetry")
        write_parquet(making / "telemetry/sockets.parquet", sockets_table(timeline, links, made.carried), synced=False)
        write_truth(truth_of(timeline), making / "truth")
        write_flows(timeline, Places.of(timeline, links), made.carried, making / "truth")
        seal(making, {**about(timeline, "flows"), "not_played": unplayed})
    return folder


def _write(timeline: Timeline, made: Played, folder: Path) -> None:
    own = {"device_state": states_table(timeline), "packages": packages_table(timeline)}
    for name, table in chain(made.tables, own.items()):
        write_parquet(folder / f"{name}.parquet", table, synced=False)
