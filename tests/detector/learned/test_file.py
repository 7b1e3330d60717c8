"""A baseline's file: the same bytes for the same parts, and every damage found."""

from __future__ import annotations

import json
import zipfile

import pytest

from detector.contract import EvidenceError
from detector.learned.file import SHEET, read_parts, write_parts
from detector.learned.gathering import gathered


@pytest.fixture
def part(made):
    for k in range(30):
        made.flow(3000 * k, package=("app", "björn", None)[k % 3], name=f"h.d{k % 4}.example", app_proto="tls")
    made.app(1, "app", "tools")
    return gathered(made.telemetry())


@pytest.fixture
def file(part, tmp_path):
    path = tmp_path / "b.baseline"
    write_parts(path, "full", [part])
    return path


def edited(path, change):
    """The file with its sheet or tables changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def sheet_with(**values):
    def change(members):
        members[SHEET] = json.dumps({**json.loads(members[SHEET]), **values}).encode()

    return change


def test_what_is_written_is_read_again(file, part, tmp_path):
    assert read_parts(file) == ("full", (part,))
    write_parts(tmp_path / "again", "full", [part])
    assert (tmp_path / "again").read_bytes() == file.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "b.baseline"]


def test_an_absent_file_and_a_folder_are_named_with_what_to_do(tmp_path):
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(FileNotFoundError, match="droidrange baseline learn") as caught:
            read_parts(path)
        assert caught.value.filename == str(path)


@pytest.mark.parametrize("content", [b"", b"not a baseline at all", b"{}"])
def test_another_file_is_no_baseline(tmp_path, content):
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(LookupError, match="expected a baseline"):
        read_parts(path)


def test_another_zip_is_no_baseline(file):
    edited(file, lambda members: members.pop(SHEET))
    with pytest.raises(LookupError, match=r"contacted\.parquet"):
        read_parts(file)


@pytest.mark.parametrize("found", [1, 2, 4, 0, None, "3"])
def test_another_version_is_refused(file, found):
    edited(file, sheet_with(schema_version=found))
    with pytest.raises(LookupError, match=f"found schema_version {found!r}, expected 3"):
        read_parts(file)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.98])
def test_a_cut_file_is_damaged(file, share):
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises((EvidenceError, LookupError)) as caught:
        read_parts(file)
    assert isinstance(caught.value, EvidenceError)


def test_every_flipped_byte_of_the_tables_or_sheet_is_found(file):
    whole = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        said = [(one.header_offset + 30 + len(one.filename), one.compress_size) for one in archive.infolist()]
    for place in (byte for begin, size in said for byte in range(begin, begin + size, 97)):
        file.write_bytes(bytes(whole[:place]) + bytes([whole[place] ^ 0x20]) + bytes(whole[place + 1 :]))
        with pytest.raises((EvidenceError, LookupError)):
            read_parts(file)


@pytest.mark.parametrize(
    "change",
    [
        sheet_with(view="no-sni"),
        sheet_with(parts=[]),
        sheet_with(parts=[{"id": "x"}]),
        sheet_with(parts=7),
        lambda members: members.update({"contacted.parquet": members["habits.parquet"]}),
        lambda members: members.update({"habits.parquet": b"PAR1"}),
        lambda members: members.pop("habits.parquet"),
        lambda members: members.update({SHEET: b"[" * 100_000}),
        lambda members: members.update({SHEET: members[SHEET].replace(b"d3.example", b"d9.example")}),
        lambda members: members.update({SHEET: members[SHEET].replace(b'"tools"', b'"games"')}),
        lambda members: members.update({SHEET: members[SHEET].replace(b'"d3.example"', b'"d3.example", "e.example"')}),
        lambda members: members.update({SHEET: members[SHEET].replace(b', "d3.example"', b"")}),
    ],
)
def test_a_changed_content_is_damage(file, change):
    edited(file, change)
    with pytest.raises(EvidenceError, match="droidrange baseline learn"):
        read_parts(file)


def test_nothing_is_left_where_writing_fails(part, tmp_path):
    with pytest.raises(OSError, match="absent"):
        write_parts(tmp_path / "absent" / "b", "full", [part])
    (tmp_path / "there").mkdir()
    with pytest.raises(OSError, match="there"):
        write_parts(tmp_path / "there", "full", [part])
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
