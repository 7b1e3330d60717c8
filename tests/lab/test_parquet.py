"""Parquet files: parts added one by one give the bytes of the whole, and hold it."""

import pyarrow as pa
import pyarrow.parquet as pq

from lab.parquet import parquet_writer, write_parquet

TABLE = pa.table({"device": ["phone-01", None, "phone-02"], "time": [3, 1, 2]})


def test_a_table_and_its_only_part_are_the_same_bytes(tmp_path):
    write_parquet(tmp_path / "whole", TABLE.replace_schema_metadata({"made": "by somebody"}))
    with parquet_writer(tmp_path / "part", TABLE.schema) as writer:
        writer.write_table(TABLE)
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "part").read_bytes()


def test_parts_stand_behind_each_other(tmp_path):
    with parquet_writer(tmp_path / "parts", TABLE.schema) as writer:
        for part in (TABLE[:2], TABLE[2:]):
            writer.write_table(part)
    assert pq.read_table(tmp_path / "parts").equals(TABLE)
