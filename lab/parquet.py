"""Tables as Parquet files whose bytes depend on the tables alone."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lab.store import write_atomic

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS_OF_A_GROUP = 1 << 20


def write_parquet(path: Path, table: pa.Table, *, synced: bool = True) -> None:
    """Writes a table so that equal tables give equal bytes: text in dictionaries, no statistics, no metadata.

    Not ``synced`` is for one of many files of a folder in the making: a power cut is found by the manifest's hashes.
    """
    sink = BytesIO()
    with parquet_writer(sink, table.schema) as writer:
        writer.write_table(table.replace_schema_metadata(None), row_group_size=ROWS_OF_A_GROUP)
    (write_atomic if synced else Path.write_bytes)(path, sink.getvalue())


def parquet_writer(sink: Path | BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
    """A file of one table to which parts are added, each as row groups; closed by ``with``. See write_parquet."""
    import pyarrow.parquet as pq

    plain = schema.remove_metadata()
    text = [field.name for field in plain if str(field.type) == "string"] or False
    how = {"compression": "zstd", "version": "2.6", "store_schema": False}
    return pq.ParquetWriter(sink, plain, use_dictionary=text, write_statistics=False, **how)
