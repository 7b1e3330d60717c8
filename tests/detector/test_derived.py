"""The cache beside a recording: used when everything fits and this user signed it, passed over in silence when not."""

import hashlib
import json
import os
from pathlib import Path

import pyarrow as pa
import pytest

import detector.capture
from detector.cache_secret import BYTES
from detector.contract import Telemetry
from detector.derived import DERIVED, EDGE_BYTES, Derived, cache_key, read_cache, write_cache
from detector.intake import load

KEY = "0123456789abcdef" * 2


def derived(rows: int = 3) -> Derived:
    tables = {
        name: pa.table({f.name: pa.nulls(rows, f.type) for f in schema}, schema) for name, schema in DERIVED.items()
    }
    return Derived(tables, 9, 1, None, {"fragments": 2})


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of its own for each test."""
    made = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(made))
    return made


def secret(state: Path, filling: int) -> None:
    """Puts a secret of one repeated byte into the state folder."""
    path = state / "droidrange" / "cache-key"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes([filling]) * BYTES)
    path.chmod(0o600)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "telemetry"
    made.mkdir()
    (made / "capture.pcap").write_bytes(bytes.fromhex("d4c3b2a102000400") + bytes(8) + b"\xff\xff\0\0\1\0\0\0")
    return made


def reads(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Telemetry, int]:
    """What load gives, and how often the capture itself was read for it."""
    calls: list[Path] = []
    real = detector.capture.read_capture

    def counting(path, **settings):
        calls.append(path)
        return real(path, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(detector.capture, "read_capture", counting)
        return load(folder), len(calls)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert write_cache(tmp_path / "derived", KEY, derived())
    assert read_cache(tmp_path / "derived", KEY) == derived()
    assert read_cache(tmp_path / "derived", KEY[::-1]) is None
    assert not [path for path in (tmp_path / "derived").iterdir() if path.name.startswith(".")]


def test_capture_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, count = reads(folder, monkeypatch)
    again, none = reads(folder, monkeypatch)
    assert (count, none) == (1, 0)
    assert (first.tables, first.span, first.packets) == (again.tables, again.span, again.packets)


@pytest.mark.parametrize("suffix", ["flows.parquet", "exchanges.parquet", "dns.parquet", "json"])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "flipped", "folder"])
def test_damaged_cache_is_passed_over_and_made_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, damage: str
) -> None:
    first, _ = reads(folder, monkeypatch)
    (path,) = (folder / "derived").glob(f"*.{suffix}")
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "gone":
        flipped = bytes([content[0] ^ 1]) + content[1:]
        path.write_bytes({"empty": b"", "cut": content[:-5], "flipped": flipped}[damage])
    again, count = reads(folder, monkeypatch)
    assert count == 1
    assert again.tables == first.tables


def test_cache_of_other_columns_or_counts_is_not_believed(tmp_path: Path) -> None:
    write_cache(tmp_path, KEY, derived())
    about = json.loads((tmp_path / f"{KEY}.json").read_text())
    assert about["packets"] == 9
    (tmp_path / f"{KEY}.json").write_text(json.dumps(about | {"packets": 8}))
    assert read_cache(tmp_path, KEY) is None
    other = Derived({**derived().tables, "dns": pa.table({"time": [1, 2, 3]})}, 9, 1, 2)
    write_cache(tmp_path, KEY, other)
    assert read_cache(tmp_path, KEY) is None


@pytest.mark.parametrize("obstacle", ["file", "link"])
def test_cache_that_cannot_be_written_is_never_fatal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    if obstacle == "file":
        (folder / "derived").write_text("in the way")
    else:
        (folder / "derived").symlink_to(elsewhere)
    for _ in range(2):
        found, count = reads(folder, monkeypatch)
        assert (found.packets, count) == (0, 1)
    assert list(elsewhere.iterdir()) == []


def test_other_keys_are_dropped_and_strange_files_left(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_cache(tmp_path, KEY, derived())
    write_cache(tmp_path, KEY[::-1], derived())
    names = {path.name for path in tmp_path.iterdir()}
    assert "notes.txt" in names
    assert {name.split(".")[0] for name in names} == {"notes", KEY[::-1]}


def test_key_follows_content_time_and_size(tmp_path: Path) -> None:
    path = tmp_path / "x"
    content = bytearray(3 * EDGE_BYTES)
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    keys = [cache_key(path)]
    for place in (0, EDGE_BYTES - 1, 2 * EDGE_BYTES, 3 * EDGE_BYTES - 1):
        content[place] ^= 1
        path.write_bytes(content)
        os.utime(path, ns=(1, 1))
        keys.append(cache_key(path))
    os.utime(path, ns=(1, 2))
    keys.append(cache_key(path))
    path.write_bytes(content[:-1])
    keys.append(cache_key(path))
    assert len(set(keys)) == len(keys)


def test_key_follows_the_readers_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reader.py").write_text("old")
    monkeypatch.setattr(detector.capture, "__path__", [str(tmp_path)])
    before = cache_key(tmp_path / "reader.py")
    (tmp_path / "more.py").write_text("new")
    assert cache_key(tmp_path / "reader.py") != before


@pytest.mark.parametrize(("signer", "again"), [(1, 0), (2, 1)], ids=["own", "of another user"])
def test_a_forged_cache_hides_nothing(
    folder: Path, state: Path, monkeypatch: pytest.MonkeyPatch, signer: int, again: int
) -> None:
    """Tables of nulls under the right key: believed from this user (the control), read anew from any other."""
    secret(state, signer)
    assert write_cache(folder / "derived", cache_key(folder / "capture.pcap"), derived(rows=0))
    secret(state, 1)
    found, count = reads(folder, monkeypatch)
    assert count == again
    assert found.packets == (0 if again else 9)
    assert reads(folder, monkeypatch)[1] == 0, "what was made again is signed, and used from then on"


def test_a_cache_of_another_capture_is_not_believed_under_a_new_name(tmp_path: Path) -> None:
    write_cache(tmp_path, KEY, derived())
    for path in list(tmp_path.iterdir()):
        path.rename(tmp_path / path.name.replace(KEY, KEY[::-1]))
    assert read_cache(tmp_path, KEY[::-1]) is None


@pytest.mark.parametrize("proof", ["unsigned", "number", "not ASCII"])
def test_a_proof_anybody_can_make_is_none(tmp_path: Path, proof: str) -> None:
    write_cache(tmp_path, KEY, derived())
    path = tmp_path / f"{KEY}.json"
    about = json.loads(path.read_text())
    del about["proof"]
    plain = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(about | {"proof": {"unsigned": plain, "number": 3, "not ASCII": "\u00e9"}[proof]}))
    assert read_cache(tmp_path, KEY) is None


def test_without_a_secret_there_is_no_cache(folder: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (state / "droidrange").write_text("in the way")
    assert [reads(folder, monkeypatch)[1] for _ in range(2)] == [1, 1]
    assert not (folder / "derived").exists()
