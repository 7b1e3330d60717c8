"""Accounts are settled when every line is told of; faults raise unless partial evidence is allowed."""

from pathlib import Path

import pytest

from detector.contract import EvidenceError
from detector.imports.account import Account, Faults


def test_account_is_settled_only_when_every_line_is_told_of():
    account = Account(Path("x"), "form", lines=6)
    account.row("flows", 3)
    account.leave("remarks", 2)
    assert not account.settled()
    account.joined += 1
    assert account.settled()


def test_nothing_left_leaves_no_reason():
    account = Account(Path("x"), "form")
    account.leave("remarks", 0)
    account.row("flows", 0)
    assert (account.left, account.rows, account.settled()) == ({}, {}, True)


def test_a_fault_names_place_found_and_expected():
    with pytest.raises(EvidenceError, match=r"conn.log, line 3: found 'x', expected a number; .*--allow-partial"):
        Faults(allow_partial=False).add("conn.log, line 3", "'x'", "a number")


def test_faults_of_many_lines_name_the_first_and_how_many_more():
    faults = Faults(allow_partial=True)
    faults.many("conn.log", (3, "'x'", "a number"), 4)
    assert faults.texts == ["conn.log, line 3 (and 3 more such lines): found 'x', expected a number"]
