"""Inventories as CSV."""

import pytest

from detector.contract import EvidenceError
from detector.imports.account import Faults
from detector.imports.inventory_csv import read_inventory

TEXT = 'Device ID;Package-Name;UID;App Name;approved;roles;ip\nphone;org.a;10001;"A; b";yes;VPN|browser;10.0.0.2\nphone;org.b;;;;;\n'


def test_columns_are_known_by_many_names(opened, account):
    found = read_inventory(opened(TEXT.encode()), account, Faults(allow_partial=False))
    assert found.tables["packages"].to_pylist() == [
        {
            "device": "phone",
            "uid": 10001,
            "package": "org.a",
            "label": "A; b",
            "category": None,
            "sanctioned": True,
            "roles": ["vpn", "browser"],
        },
        {
            "device": "phone",
            "uid": None,
            "package": "org.b",
            "label": None,
            "category": None,
            "sanctioned": None,
            "roles": [],
        },
    ]
    assert found.addresses == {"10.0.0.2": "phone"}
    assert account.settled()


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("p,org.a,x,yes", "uid 'x'"),
        ("p,,1,yes", "no package"),
        ("p,org.a,1,perhaps", "sanctioned 'perhaps'"),
        ("p,org.a", "2 columns"),
    ],
)
def test_faults_name_their_line(opened, account, row, found):
    text = f"device,package,uid,sanctioned\np,org.a,1,no\n{row}\n"
    with pytest.raises(EvidenceError, match=f"line 3: found {found}"):
        read_inventory(opened(text.encode()), account, Faults(allow_partial=False))
    kept = read_inventory(opened(text.encode()), account, Faults(allow_partial=True))
    assert kept.tables["packages"].num_rows == 1


def test_an_address_is_spelled_as_in_the_traffic(opened, account):
    log = opened(b"package,device,ip\norg.a,phone,FD00:0:0:0:0:0:0:5\n")
    assert read_inventory(log, account, Faults(allow_partial=False)).addresses == {"fd00::5": "phone"}


def test_a_field_that_no_reader_of_csv_takes_is_a_fault_with_its_line(opened, account):
    log = opened(f"package,label\norg.a,{'x' * 200_000}\norg.b,b\n".encode())
    with pytest.raises(EvidenceError, match=r"line 2: found field larger than field limit .*expected fields"):
        read_inventory(log, account, Faults(allow_partial=False))
    found = read_inventory(log, account, Faults(allow_partial=True))
    assert found.tables["packages"]["package"].to_pylist() == ["org.b"]
