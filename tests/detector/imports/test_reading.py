"""Logs put together: folders, days, several files, two sensors."""

import gzip

import pytest

from detector.contract import EvidenceError, Progress
from detector.imports.account import Faults
from detector.imports.reading import READERS, captures_in, form_at, logs_in, read_beside, read_logs

ROW = "1 C1 10.0.0.2 40000 9.9.9.9 443 tcp ssl 2.5 10 20 SF - - ShADad 3 200 4 300"
EVE = '{"timestamp":"2026-03-02T00:00:00.0+0000","event_type":"flow","src_ip":"10.0.0.2","dest_ip":"9.9.9.9","proto":"UDP"}\n'


def test_rotated_and_packed_logs_of_a_folder_are_one(imported, zeek):
    found = imported(
        a=zeek("conn", ROW), b=gzip.compress(zeek("conn", ROW.replace("C1", "C2")).encode()), README=b"# words\n"
    )
    assert found.tables["flows"].num_rows == 2
    assert len(found.accounts) == 2


def test_several_files_of_flows_keep_apart(imported):
    found = imported(a=EVE, b=EVE)
    assert found.tables["flows"]["flow"].to_pylist() == [0, 1]


def test_two_sensors_are_refused(imported, zeek):
    with pytest.raises(EvidenceError, match=r"several sensors: a \(zeek\), b \(eve\)"):
        imported(a=zeek("conn", ROW), b=EVE)


def test_days_are_looked_into_where_a_folder_has_no_logs(tmp_path, zeek):
    (tmp_path / "2026-03-02").mkdir()
    (tmp_path / "other").mkdir()
    for name in ("2026-03-02", "other"):
        (tmp_path / name / "conn.log").write_text(zeek("conn", ROW))
    assert [path.parent.name for path in logs_in(tmp_path)] == ["2026-03-02"]
    (tmp_path / "conn.log").write_text(zeek("conn", ROW))
    assert [path.parent for path in logs_in(tmp_path)] == [tmp_path]


def test_a_cut_gzip_is_a_fault_and_gives_what_it_has(imported, zeek):
    packed = gzip.compress(zeek("conn", *[ROW.replace("C1", f"C{k}") for k in range(5000)]).encode())[:-40]
    with pytest.raises(EvidenceError, match=r"after line \d+: found the end of the file inside a gzip stream"):
        imported(a=packed)
    assert imported(partial=True).tables["flows"].num_rows > 0


def test_an_inventory_beside_logs_names_devices(imported, zeek):
    found = imported(a=zeek("conn", ROW), b="device,address,package,uid\nphone,10.0.0.2,org.a,10001\n")
    assert found.tables["flows"]["device"].to_pylist() == ["phone"]
    assert found.tables["packages"]["package"].to_pylist() == ["org.a"]


def test_what_stands_beside_a_capture_is_read_without_flows(tmp_path):
    (tmp_path / "a.csv").write_text("device,address,package,uid\nphone,10.0.0.2,org.a,10001\n")
    (tmp_path / "a.pcap").write_bytes(bytes.fromhex("d4c3b2a1") + bytes(20))
    beside = read_beside(logs_in(tmp_path), Faults(allow_partial=False), Progress())
    assert (beside.told, beside.aside.addresses) == (None, {"10.0.0.2": "phone"})
    assert captures_in(tmp_path) == [tmp_path / "a.pcap"]
    assert form_at(tmp_path / "a.pcap") is None


def test_progress_ends_at_all_bytes(tmp_path, zeek):
    (tmp_path / "a").write_text(zeek("conn", ROW))
    told = []
    read_logs(logs_in(tmp_path), Faults(allow_partial=False), Progress(lambda done, total: told.append((done, total))))
    assert told == [((tmp_path / "a").stat().st_size,) * 2]


def test_every_form_has_a_reader():
    from importlib import import_module

    assert all(callable(import_module(f"detector.imports.{name}").read) for name in READERS.values())
