"""Zeek's ASCII logs: headers, sections, escapes, logs that are not read."""

import pytest

from detector.contract import EvidenceError
from detector.imports.account import Account, Faults
from detector.imports.zeek_text import read_text, unescaped

ROW = "1.000001 C1 10.0.0.2 40000 9.9.9.9 443 tcp ssl 2.5 10 20 SF - - ShADad 3 200 4 300"


def read(opened, account, text, *, partial=False):
    return read_text(opened(text.encode()), account, Faults(partial))


def test_a_log_is_read_by_its_header_and_no_label_comes(opened, account, zeek):
    fields = "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tlabel\tdetailedlabel"
    text = zeek("conn", "1.5 C1 10.0.0.2 1 9.9.9.9 2 Malicious C&C", fields=fields)
    ((kind, table),) = read(opened, account, text)
    assert kind == "conn"
    assert table.column_names == ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"]
    assert account.lines == 1 + 7 + 1


def test_logs_one_behind_the_other_are_sections(opened, account, zeek):
    dns = zeek(
        "dns", "1 C1 10.0.0.2 1 9.9.9.9 53 a.b", fields="ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tquery"
    )
    found = read(opened, account, zeek("conn", ROW) + dns + zeek("conn", ROW, ROW))
    assert [(kind, table.num_rows) for kind, table in found] == [("conn", 1), ("dns", 1), ("conn", 2)]
    assert account.lines == 3 * 8 + 4


def test_a_fault_names_its_line_in_the_file(opened, account, zeek):
    text = zeek("conn", ROW, ROW.replace("40000", "x"))
    with pytest.raises(EvidenceError, match=r"line 9: found 'x' in column id.orig_p, expected a value of kind port"):
        read(opened, account, text)
    ((_, table),) = read(opened, Account(account.path, "f"), text, partial=True)
    assert table.num_rows == 1


def test_a_cut_line_is_a_fault(opened, account, zeek):
    text = zeek("conn", ROW, ROW).rsplit("\n#close", 1)[0][:-30]
    with pytest.raises(EvidenceError, match=r"line 9: found \d+ columns, expected 19"):
        read(opened, account, text)


def test_a_log_that_is_not_read_is_counted(opened, account, zeek):
    assert read(opened, account, zeek("weird", "1 C1", fields="ts\tuid")) == []
    assert account.left == {"remarks": 7, "lines of weird.log": 2}
    assert account.settled()


def test_a_log_without_the_columns_of_its_kind_is_a_fault(opened, account, zeek):
    with pytest.raises(EvidenceError, match=r"no column id.orig_h, id.resp_h"):
        read(opened, account, zeek("conn", "1 C1", fields="ts\tuid"))


def test_escapes_are_undone_but_not_in_lists(opened, account, zeek):
    fields = "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tquery\tanswers"
    ((_, table),) = read(opened, account, zeek("dns", r"1 C1 10.0.0.2 1 9.9.9.9 53 a\x09b c\x2cd,e", fields=fields))
    assert table.select(["query", "answers"]).to_pylist() == [{"query": "a\tb", "answers": r"c\x2cd,e"}]
    assert unescaped(r"\x41\xzz") == r"A\xzz"


def test_another_separator(opened, account):
    text = "#separator \\x2c\n#path,conn\n#fields,ts,uid,id.orig_h,id.resp_h\n#types,x\n1,C,10.0.0.1,9.9.9.9\n"
    ((_, table),) = read(opened, account, text)
    assert table.num_rows == 1
