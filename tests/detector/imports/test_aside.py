"""Inventories and bug reports beside traffic."""

import pyarrow as pa

from detector.imports.aside import Aside, read_aside
from detector.imports.form import BUGREPORT, INVENTORY
from detector.tables import SCHEMAS


def packages(*rows):
    names = ("device", "uid", "package")
    return {"packages": pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], SCHEMAS["packages"])}


def flows(*devices):
    return {"flows": pa.table({"device": pa.array(devices, pa.string())})}


def test_a_shared_uid_has_no_package():
    known = Aside(packages(("p", 1, "a"), ("p", 1, "b"), ("p", 2, "c"), ("q", 1, "d"))).known
    assert known.packages == {("p", 2): "c", ("q", 1): "d"}


def test_nameless_rows_are_the_only_devices_and_go_where_there_are_several():
    aside = Aside(packages((None, 1, "a")))
    assert aside.tables_for(flows("p", "p"))["packages"]["device"].to_pylist() == ["p"]
    assert aside.tables_for(flows("p", "q")) == {}


def test_several_are_one():
    both = Aside.together([Aside(packages(("p", 1, "a")), {"10.0.0.2": "p"}), Aside(packages(("q", 1, "b")))])
    assert both.tables["packages"].num_rows == 2
    assert both.addresses == {"10.0.0.2": "p"}


def test_each_form_has_its_reader(opened, account, faults):
    assert set(read_aside(opened(b"package\norg.a\n"), INVENTORY, account, faults).tables) == {"packages"}
    assert read_aside(opened(b"DUMP OF SERVICE x:\n"), BUGREPORT, account, faults).tables == {}
