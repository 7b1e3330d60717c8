"""Log sources and their fields: each is an expression that DuckDB can bind over our tables."""

from __future__ import annotations

import pytest

from detector.contract import SCHEMAS
from detector.sigma.sources import CATEGORIES, SERVICES, STATED, source_of
from detector.sql.locked import locked

ALL = {**CATEGORIES, **{f"zeek {name}": source for name, source in SERVICES.items()}}


@pytest.fixture(scope="module")
def connection():
    return locked({name: schema.empty_table() for name, schema in SCHEMAS.items()})


@pytest.mark.parametrize("name", ALL)
def test_every_field_is_a_column_of_its_kind(connection, name):
    source = ALL[name]
    kinds = {"text": {"VARCHAR"}, "number": {"INTEGER", "BIGINT", "DOUBLE"}, "truth": {"BOOLEAN"}, "time": {"BIGINT"}}
    kinds["texts"] = {"VARCHAR[]"}
    fields = {f"f{number}": column for number, column in enumerate(source.fields.values())}
    columns = ", ".join(f"{column.sql} AS {alias}" for alias, column in fields.items())
    relation = STATED.format(relation=source.relation)
    asked = f"DESCRIBE SELECT {columns}, began, known, ended FROM ({relation})"
    for alias, kind, *_ in connection.execute(asked).fetchall():
        expected = kinds[fields[alias].kind] if alias in fields else {"BIGINT"}
        assert kind in expected, list(source.fields)[int(alias[1:])]


@pytest.mark.parametrize("source", ALL.values(), ids=ALL.keys())
def test_every_source_knows_who(source):
    assert {"device", "uid", "package", "peer", "foreground"} <= set(source.fields)
    assert set(source.tables) | set(source.optional) <= set(SCHEMAS)


def test_a_log_source_that_we_have_not_is_told_with_those_there_are():
    with pytest.raises(ValueError, match="found category process_creation, expected category dns, dns_query, firewall"):
        source_of("process_creation", None, None)
    with pytest.raises(ValueError, match="found category dns, product windows, expected no product, or one of android"):
        source_of("dns", "windows", None)
    with pytest.raises(ValueError, match="found product zeek, service smb_files, expected"):
        source_of(None, "zeek", "smb_files")
    with pytest.raises(ValueError, match="found category dns, service x"):
        source_of("dns", None, "x")


def test_products_that_may_be_ours_are_taken():
    assert source_of("dns", "android", None) is source_of("dns", None, None)
    assert source_of(None, "zeek", "conn").tables == ("flows",)
