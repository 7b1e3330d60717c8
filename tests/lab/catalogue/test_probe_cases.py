"""What detectors are tried on is what it says it is."""

import pyarrow as pa
import pytest

from detector.contract import SCHEMAS, Telemetry, open_telemetry
from lab.catalogue import probe_cases as cases


@pytest.fixture
def sound(tmp_path):
    capture = tmp_path / "telling-name.pcap"
    capture.write_bytes(cases.HEADER + b"\x00" * 99)
    row = dict.fromkeys(SCHEMAS["flows"].names) | {"flow": 1, "device": "d", "name": "x.example", "start": 5, "end": 9}
    flows = pa.Table.from_pylist([row], SCHEMAS["flows"])
    return Telemetry({"flows": flows}, (0, 86_400_000_000), capture=capture)


def test_a_day_of_nothing_has_every_table_and_a_capture_that_can_be_read(tmp_path):
    empty = cases.nothing(tmp_path)
    assert set(empty.tables) == set(SCHEMAS)
    assert sum(len(table) for table in empty.tables.values()) == 0
    assert open_telemetry(empty.capture).packets == 0


def test_nonsense_has_the_columns_of_the_contract_and_wrong_values(sound, tmp_path):
    found = dict(cases.nonsense(sound, tmp_path))
    for name in ("nothing but nulls", "extreme values"):
        assert {key: table.schema for key, table in found[name].tables.items()} == dict(SCHEMAS)
    assert found["nothing but nulls"]["flows"]["start"].null_count == cases.ROWS
    assert found["extreme values"]["flows"]["start"].to_pylist()[:2] == [2**63 - 1, -(2**63)]
    backwards = found["time that runs backwards"]
    assert (backwards["flows"]["start"].to_pylist(), backwards["flows"]["end"].to_pylist()) == ([9], [5])
    assert backwards.span == sound.span[::-1]
    assert found["a capture that is cut"].capture.stat().st_size < sound.capture.stat().st_size
    assert found["no table at all"].tables == {}


def test_a_neutral_capture_has_no_telling_name(sound, tmp_path):
    given = cases.neutral(sound, tmp_path / "given")
    assert given.capture.read_bytes() == sound.capture.read_bytes()
    assert given.capture.name == "capture.pcap"
    assert [path.name for path in given.capture.parent.iterdir()] == ["capture.pcap"]


def test_labels_change_nothing_of_what_was_seen(sound, tmp_path):
    seen = cases.labelled(sound, tmp_path / "l", 1)
    assert seen["flows"].equals(sound["flows"])
    assert not seen["flows"].schema.equals(sound["flows"].schema, check_metadata=True)
    assert seen.capture.read_bytes() == sound.capture.read_bytes()
    places = {
        str(path.relative_to(tmp_path / "l" / cases.FOLDERS[1]))
        for path in (tmp_path / "l").rglob("*")
        if path.is_file()
    }
    assert {"truth/incidents.parquet", "truth/conn.log.labeled", "telemetry/labels.json", "recording.json"} <= places


def test_labels_may_lie_about_traffic_that_is_not_shown(sound, tmp_path):
    (tmp_path / "n").mkdir()
    seen = cases.labelled(sound, tmp_path / "l", 0, shown=cases.nothing(tmp_path / "n"))
    assert len(seen["flows"]) == 0
    assert len(seen["labels"]) == 1
