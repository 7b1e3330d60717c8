"""Logs written for a test and read as anybody's would be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from detector.contract import Progress
from detector.imports.account import Account, Faults
from detector.imports.opened import Opened, open_log
from detector.imports.reading import Imported, logs_in, read_logs

Read = Callable[..., Imported]


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[bytes], Opened]:
    """The bytes as a file that was opened."""

    def opened(data: bytes) -> Opened:
        (tmp_path / "log").write_bytes(data)
        return open_log(tmp_path / "log")

    return opened


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path / "log", "form")


@pytest.fixture
def faults() -> Faults:
    return Faults(allow_partial=False)


@pytest.fixture
def imported(tmp_path: Path) -> Read:
    """Files by name and content, read together; every account must be settled."""

    def imported(*, partial: bool = False, **files: bytes | str) -> Imported:
        folder = tmp_path / "logs"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        found = read_logs(logs_in(folder), Faults(partial), Progress())
        assert all(one.settled() for one in found.accounts), found.accounts
        return found

    return imported


ENDS = "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p"
CONN = f"{ENDS}\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes"


@pytest.fixture
def zeek() -> Callable[..., str]:
    """A Zeek log of rows; ``fields`` are those of conn.log unless given."""

    def zeek(path: str, *rows: str, fields: str = CONN) -> str:
        head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-"]
        head += [f"#path\t{path}", f"#fields\t{fields}", "#types\tx"]
        return "\n".join([*head, *(row.replace(" ", "\t") for row in rows), "#close\t2026"]) + "\n"

    return zeek
