"""Opening captures, telemetry folders and recordings: what is read, refused, left out."""

import json
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.contract import SCHEMAS, EvidenceError, open_telemetry
from detector.intake import load

T0 = 1_772_409_600
PHONE, WEB = bytes([10, 88, 0, 2]), bytes([198, 18, 0, 7])


def packet(source: bytes, target: bytes, ports: tuple[int, int], payload: bytes) -> bytes:
    """An Ethernet frame with IPv4, UDP and a payload; checksums are none of the reader's business."""
    udp = struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + source + target
    return bytes(12) + b"\x08\0" + ip + udp


def capture_bytes(pairs: int = 3) -> bytes:
    """A classic pcap: UDP questions each a second apart, answers after 10 ms."""
    records = []
    for number in range(pairs):
        for answer in (0, 1):
            ends, ports = ((PHONE, WEB), (40_000, 9)) if not answer else ((WEB, PHONE), (9, 40_000))
            data = packet(*ends, ports, b"hello")
            records.append(struct.pack("<IIII", T0 + number, answer * 10_000, len(data), len(data)) + data)
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1) + b"".join(records)


def table(name: str, **columns: list[Any]) -> pa.Table:
    rows = len(next(iter(columns.values())))
    schema = SCHEMAS[name]
    return pa.table({f.name: pa.array(columns.get(f.name, [None] * rows), f.type) for f in schema}, schema)


SOCKETS = table(
    "sockets",
    time=[T0 * 1_000_000],
    device=["phone"],
    uid=[10_100],
    event=["connect"],
    proto=["udp"],
    local_address=["10.88.0.2"],
    local_port=[40_000],
    peer_address=["198.18.0.7"],
    peer_port=[9],
)
PACKAGES = table("packages", device=["phone"], uid=[10_100], package=["org.example.app"], roles=[["vpn"]])
STATES = table("device_state", time=[(T0 - 60) * 1_000_000, (T0 + 900) * 1_000_000], device=["phone", "phone"])


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder of its own for each test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "recording" / "telemetry"
    made.mkdir(parents=True)
    (made / "capture.pcap").write_bytes(capture_bytes())
    for name, content in (("sockets", SOCKETS), ("packages", PACKAGES), ("device_state", STATES)):
        pq.write_table(content, made / f"{name}.parquet", store_schema=False)
    return made


def seal(folder: Path, *, complete: bool = True) -> Path:
    files = {f"telemetry/{path.name}": {"bytes": path.stat().st_size} for path in sorted(folder.iterdir())}
    (folder.parent / "recording.json").write_text(json.dumps({"files": files, "complete": complete}))
    return folder.parent


@pytest.mark.parametrize("name", ["a.pcap", "a.pcapng", "a"])
def test_bare_capture_is_known_by_its_content_and_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(capture_bytes())
    found = open_telemetry(tmp_path / name)
    assert set(found.tables) == {"flows", "exchanges", "dns"}
    assert {table: content.schema for table, content in found.tables.items()} == {t: SCHEMAS[t] for t in found.tables}
    assert (found.packets, found.capture, found.partial, found.view) == (6, tmp_path / name, None, "full")
    assert found.span == (T0 * 1_000_000, (T0 + 2) * 1_000_000 + 10_000)
    assert found["flows"]["device"].to_pylist() == ["10.88.0.2"]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_telemetry_folder_joins_apps_and_covers_the_span_of_its_tables(folder: Path) -> None:
    found = load(folder)
    assert list(found.tables) == [name for name in SCHEMAS if name != "http"]
    assert found["flows"].select(["device", "uid", "package"]).to_pylist() == [
        {"device": "phone", "uid": 10_100, "package": "org.example.app"}
    ]
    assert found["packages"]["roles"].to_pylist() == [["vpn"]]
    assert found.span == ((T0 - 60) * 1_000_000, (T0 + 900) * 1_000_000)


def test_capture_is_the_only_origin_of_flows_beside_it(folder: Path) -> None:
    pq.write_table(table("flows", flow=[5], device=["told"]), folder / "flows.parquet")
    assert load(folder)["flows"]["device"].to_pylist() == ["phone"]


def test_recording_of_session_tables_has_no_capture(folder: Path) -> None:
    (folder / "capture.pcap").unlink()
    pq.write_table(
        table("flows", flow=[5], device=["phone"], start=[7], end=[(T0 + 999) * 1_000_000]), folder / "flows.parquet"
    )
    found = load(seal(folder))
    assert (found["flows"]["flow"].to_pylist(), found.capture, found.packets) == ([5], None, None)
    assert found.span == (7, (T0 + 999) * 1_000_000)
    assert "exchanges" not in found


def test_complete_recording_opens_by_its_folder(folder: Path) -> None:
    assert load(seal(folder)).packets == 6


@pytest.mark.parametrize("fault", ["incomplete", "no manifest", "broken manifest", "file lost", "file shorter"])
def test_unfinished_recording_is_refused_or_partial(folder: Path, fault: str) -> None:
    recording = seal(folder, complete=fault != "incomplete")
    if fault == "no manifest":
        (recording / "recording.json").unlink()
    elif fault == "broken manifest":
        (recording / "recording.json").write_text("[1]")
    elif fault == "file lost":
        (folder / "packages.parquet").unlink()
    elif fault == "file shorter":
        (folder / "capture.pcap").write_bytes(capture_bytes(2))
    with pytest.raises(EvidenceError, match=r"recording\.json|packages\.parquet|capture\.pcap"):
        load(recording)
    found = load(recording, allow_partial=True)
    assert found.partial
    assert "flows" in found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop_columns(["uid"]), "'uid': found none, expected one of type int32"),
        (lambda t: t.drop_columns(["bytes_up"]), "'bytes_up': found none, expected one of type int64"),
        (lambda t: t.append_column("label", pa.array(["Malicious"])), "'label': unknown"),
        (lambda t: t.set_column(0, "time", pa.array(["now"])), "'time': found type string, expected int64"),
    ],
)
def test_table_of_other_columns_is_refused_by_file_and_column(folder: Path, change: Any, words: str) -> None:
    pq.write_table(change(SOCKETS), folder / "sockets.parquet")
    with pytest.raises(EvidenceError, match=rf"sockets\.parquet: column {words}"):
        load(folder)
    found = load(folder, allow_partial=True)
    assert "sockets" not in found
    assert words in (found.partial or "")


def test_other_spellings_of_a_type_are_read(folder: Path) -> None:
    spelled = SOCKETS.set_column(1, "device", SOCKETS["device"].dictionary_encode())
    spelled = spelled.set_column(3, "event", SOCKETS["event"].cast(pa.large_string()))
    pq.write_table(spelled.select(SOCKETS.column_names[::-1]), folder / "sockets.parquet")
    assert load(folder)["sockets"] == SOCKETS


def test_damaged_table_is_refused_or_left_out(folder: Path) -> None:
    whole = (folder / "packages.parquet").read_bytes()
    (folder / "packages.parquet").write_bytes(whole[:-9])
    with pytest.raises(EvidenceError, match=r"packages\.parquet: no readable Parquet"):
        load(folder)
    found = load(folder, allow_partial=True)
    assert "packages" not in found
    assert found["flows"]["uid"].to_pylist() == [10_100]


def test_cut_capture_is_refused_or_partial_and_never_cached(folder: Path) -> None:
    (folder / "capture.pcap").write_bytes(capture_bytes()[:-3])
    for _ in range(2):
        found = load(folder, allow_partial=True)
        assert found.packets == 5
        assert "packet 6" in (found.partial or "")
        assert not (folder / "derived").exists()
        with pytest.raises(EvidenceError, match=r"capture\.pcap: packet 6"):
            load(folder)


@pytest.mark.parametrize("what", ["absent", "empty folder", "only packages", "text"])
def test_no_traffic_is_no_evidence(tmp_path: Path, what: str) -> None:
    path = tmp_path / "x"
    if what == "text":
        path.write_text("this is no capture")
    elif what != "absent":
        path.mkdir()
    if what == "only packages":
        pq.write_table(PACKAGES, path / "packages.parquet")
    for allow_partial in (False, True):
        with pytest.raises(EvidenceError, match=r"x.* expected"):
            load(path, allow_partial=allow_partial)


def test_capture_without_packets_has_no_span(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(capture_bytes(0))
    found = load(tmp_path / "x")
    assert (found.span, found.packets, found["flows"].num_rows) == ((0, 0), 0, 0)


EVE = (
    '{"timestamp":"2026-03-02T00:00:01.0+0000","event_type":"flow","src_ip":"10.88.0.2","src_port":40000,'
    '"dest_ip":"198.18.0.7","dest_port":9,"proto":"UDP"}\n'
)
INVENTORY = "device,address,package\nwork phone,10.88.0.2,org.example.app\n"


def test_logs_of_another_sensor_are_telemetry_by_file_and_by_folder(tmp_path: Path) -> None:
    (tmp_path / "any.name").write_text(EVE)
    for path in (tmp_path, tmp_path / "any.name"):
        found = load(path)
        assert (found["flows"]["device"].to_pylist(), found.packets, found.capture) == (["10.88.0.2"], None, None)
        assert "exchanges" not in found


def test_what_stands_beside_a_capture_names_its_devices(tmp_path: Path) -> None:
    (tmp_path / "phone.pcap").write_bytes(capture_bytes())
    (tmp_path / "inventory.csv").write_text(INVENTORY)
    found = load(tmp_path)
    assert found["flows"]["device"].to_pylist() == ["work phone"]
    assert found["packages"]["package"].to_pylist() == ["org.example.app"]
    assert (found.packets, found.capture) == (6, tmp_path / "phone.pcap")


def test_a_folder_that_would_count_traffic_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(capture_bytes())
    (tmp_path / "eve.json").write_text(EVE)
    with pytest.raises(EvidenceError, match=r"found a capture and logs of a sensor \(a.pcap, eve.json\)"):
        load(tmp_path)
    (tmp_path / "eve.json").unlink()
    (tmp_path / "b.pcap").write_bytes(capture_bytes())
    with pytest.raises(EvidenceError, match=r"found 2 captures \(a.pcap, b.pcap\), expected one"):
        load(tmp_path)


def test_logs_without_traffic_are_refused_and_damage_is_partial(tmp_path: Path) -> None:
    log = tmp_path / "eve.json"
    log.write_text('{"timestamp":"2026-03-02T00:00:01.0+0000","event_type":"alert"}\n')
    with pytest.raises(EvidenceError, match=r"found no traffic .1 eve events alert., expected connections"):
        load(log)
    log.write_text(EVE + EVE[:50])
    with pytest.raises(EvidenceError, match=r"eve.json, line 2: found .*--allow-partial"):
        load(log)
    found = load(log, allow_partial=True)
    assert (found["flows"].num_rows, found.outside) == (1, {"unreadable": 1})
    assert found.partial is not None
    assert "line 2" in found.partial
