"""A recording of the flows stage made of blocks of phones: each is played by itself, its tables behind those before.

The first block is written as a timeline of its own is; flows of later ones are numbered on. A block is told the names
of servers by its own look-ups alone, as a sensor that stands in front of these phones is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.contract import Advance
from lab.parquet import ROWS_OF_A_GROUP, parquet_writer
from lab.stages.awaited import settled
from lab.stages.dialogues import formats_of
from lab.stages.flows.scenes import played
from lab.stages.labels import Places, flows_table
from lab.stages.link import links_of
from lab.stages.sensors import packages_table, sockets_table, states_table
from lab.stages.uncollected import uncollected
from lab.timeline import Timeline
from lab.truth import Truth, truth_of

NUMBERED = "telemetry/flows"  # the table that has every number of a flow


@dataclass(frozen=True)
class Block:
    """What was played of some phones: tables by their places in the recording, each made when it is asked for."""

    tables: Iterable[tuple[str, pa.Table]]
    truth: Truth


def block_of(timeline: Timeline, advance: Advance = lambda _done, _total: None) -> Block:
    """A timeline played; StageError on a peer outside the lab."""
    transports = [found.TRANSPORT for found in formats_of(timeline)]
    timeline = replace(timeline, network=replace(timeline.network, loss=0.0))
    timeline, links = settled(timeline, links_of(timeline, transports), transports)

    def tables() -> Iterator[tuple[str, pa.Table]]:
        made = played(timeline, links, advance)
        yield from ((f"telemetry/{name}", table) for name, table in made.tables)
        yield "telemetry/device_state", states_table(timeline)
        yield "telemetry/packages", packages_table(timeline)
        yield "telemetry/sockets", sockets_table(timeline, links, made.carried)
        yield "truth/flows", flows_table(timeline, Places.of(timeline, links), made.carried)

    return Block(tables(), truth_of(timeline))


def whole_block(timeline: Timeline) -> Block:
    """The same with all tables made, so that it can be handed to another process."""
    with uncollected():
        made = block_of(timeline)
        return replace(made, tables=list(made.tables))


def truth_of_all(truths: list[Truth]) -> Truth:
    """The truth of all phones."""
    every: dict[str, Any] = {"incidents": tuple(chain.from_iterable(one.incidents for one in truths))}
    for name in [one.name for one in fields(Truth) if isinstance(getattr(truths[0], one.name), dict)]:
        every[name] = dict(chain.from_iterable(getattr(one, name).items() for one in truths))
    return replace(truths[0], **every)


@dataclass
class Tables:
    """The tables of a recording in the making, in ``folder``; closed by ``with``."""

    folder: Path
    _writers: dict[str, pq.ParquetWriter] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)
    _flows: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        self._stack.close()

    def add(self, block: Block) -> None:
        """Writes a block behind those before."""
        flows = 0
        for name, table in block.tables:
            if name == NUMBERED and len(table):
                flows = pc.max(table["flow"]).as_py() + 1
            self._writer(name, table.schema).write_table(
                self._renumbered(table).replace_schema_metadata(None), row_group_size=ROWS_OF_A_GROUP
            )
        self._flows += flows

    def _renumbered(self, table: pa.Table) -> pa.Table:
        if not self._flows or "flow" not in table.column_names:
            return table
        place = table.column_names.index("flow")
        return table.set_column(place, table.schema.field(place), pc.add(table["flow"], self._flows))

    def _writer(self, name: str, schema: pa.Schema) -> pq.ParquetWriter:
        if name not in self._writers:
            path = self.folder / f"{name}.parquet"
            self._writers[name] = self._stack.enter_context(parquet_writer(path, schema))
        return self._writers[name]
