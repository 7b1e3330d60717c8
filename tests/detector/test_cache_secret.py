"""The secret caches are signed with: made once, whole, for one user only, and never taken from a place of doubt."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from detector import cache_secret as module
from detector.cache_secret import BYTES, cache_secret


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the secret will be."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "droidrange" / "cache-key"


def test_it_is_made_once_and_for_the_owner_only(path):
    first = cache_secret()
    assert first is not None
    assert len(first) == BYTES
    assert cache_secret() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["cache-key"], "nothing half-made is left"


def test_many_at_once_agree(path):
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: cache_secret(), range(32)))
    assert found == {path.read_bytes()}


def test_who_comes_second_keeps_the_first(path, monkeypatch):
    real = os.link

    def late(source, target):
        path.write_bytes(b"f" * BYTES)
        path.chmod(0o600)
        real(source, target)

    monkeypatch.setattr(module.os, "link", late)
    assert cache_secret() == b"f" * BYTES


@pytest.mark.parametrize("given", [None, "relative/state", ""])
def test_the_home_folder_serves_where_no_other_place_is_named(tmp_path, monkeypatch, given):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    if given is not None:
        monkeypatch.setenv("XDG_STATE_HOME", given)
    assert cache_secret() == (tmp_path / ".local/state/droidrange/cache-key").read_bytes()


@pytest.mark.parametrize(
    "doubt", ["readable", "writable", "short", "long", "empty", "link", "dangling", "folder", "pipe"]
)
def test_a_secret_in_doubt_is_none(path, doubt):
    assert cache_secret() is not None
    whole = path.read_bytes()
    if doubt in ("readable", "writable"):
        path.chmod({"readable": 0o640, "writable": 0o602}[doubt])
    elif doubt in ("short", "long", "empty"):
        path.write_bytes({"short": whole[1:], "long": whole + b"x", "empty": b""}[doubt])
    else:
        path.unlink()
        elsewhere = path.with_name("elsewhere")
        if doubt == "link":
            elsewhere.write_bytes(whole)
            elsewhere.chmod(0o600)
        make = {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path, 0o600)}
        make.get(doubt, lambda: path.symlink_to(elsewhere))()
    assert cache_secret() is None


def test_of_another_owner_it_is_none(path, monkeypatch):
    assert cache_secret() is not None
    monkeypatch.setattr(module.os, "geteuid", lambda: path.stat().st_uid + 1)
    assert cache_secret() is None


def test_where_nothing_can_be_made_there_is_none(path):
    path.parent.parent.write_text("in the way")
    assert cache_secret() is None
