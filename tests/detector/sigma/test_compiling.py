"""Sigma rules as queries over rows: what each modifier matches, what each correlation counts, what is not supported."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pytest

pytest.importorskip("sigma.collection", reason="the extra sigma is not installed")

from detector.contract import SCHEMAS
from detector.sigma import compiling
from detector.sql.query import Query
from detector.sql.worker import answered

US = 1_000_000
PLAIN = """title: T
name: t
logsource: {{{logsource}}}
tags: [attack.t1437]
detection:
  s:
    {field}
  condition: {condition}
"""
CONNECTION = "category: network_connection"


def rule(field, logsource=CONNECTION, condition="s"):
    return PLAIN.format(field=field, logsource=logsource, condition=condition)


def made(text, **other):
    answer = compiling.compiled([("x.yml", text)], other.get("given"))
    assert answer["faults"] == []
    return [Query.from_json(each["query"]) for each in answer["rules"]]


def faults(text, given=None):
    return compiling.compiled([("x.yml", text)], given)["faults"]


def tables(**rows):
    filled = {
        name: pa.Table.from_pylist([dict.fromkeys(SCHEMAS[name].names) | row for row in said], schema=SCHEMAS[name])
        for name, said in rows.items()
    }
    return {name: schema.empty_table() for name, schema in SCHEMAS.items()} | filled


def flow(number=1, **other):
    row = {"flow": number, "device": "d", "uid": 7, "package": "com.a", "inbound": False, "client": "10.0.0.2"}
    row |= {"server": "198.18.3.9", "server_port": 443, "proto": "tcp", "established": True, "name": "Www.Shop.example"}
    return row | {"start": number * US, "end": number * US + 5, "bytes_up": 700} | other


def matched(text, **rows):
    (query,) = made(text)
    return list(answered(query, tables(**rows)))


@pytest.mark.parametrize(
    ("field", "hit"),
    [
        ("DestinationHostname: www.shop.example", True),
        ("DestinationHostname: shop.example", False),
        ("DestinationHostname|cased: www.shop.example", False),
        ("DestinationHostname|cased: Www.Shop.example", True),
        ("DestinationHostname|endswith: .EXAMPLE", True),
        ("DestinationHostname|startswith: [mail., www.]", True),
        ("DestinationHostname|contains|all: [shop, www]", True),
        ("DestinationHostname|contains|all: [shop, mail]", False),
        ("DestinationHostname: 'www.*.ex?mple'", True),
        ("DestinationHostname: 'www_shop_example'", False),
        ("DestinationHostname: '%'", False),
        ("DestinationHostname|re: '^Www'", True),
        ("DestinationHostname|re: '^www'", False),
        ("DestinationHostname|re|i: '^www.shop'", True),
        ("DestinationHostname|exists: true", True),
        ("DestinationHostname: null", False),
        ("sni: null", True),
        ("sni: x", False),
        ("DestinationIp|cidr: 198.18.0.0/15", True),
        ("DestinationIp|cidr: 198.20.0.0/15", False),
        ("DestinationIp|cidr: 2001:db8::/32", False),
        ("DestinationPort: [80, 443]", True),
        ("DestinationPort: '443'", True),
        ("DestinationPort: '44*'", True),
        ("DestinationPort|gte: 444", False),
        ("DestinationPort|lt: 444", True),
        ("DestinationPort|neq: 443", False),
        ("bytes_up|gt: 699", True),
        ("Initiated: true", True),
        ("Initiated: 'false'", False),
        ("SourceIsIpv6: false", True),
        ("Image: com.A", True),
        ("uid: 7", True),
        ("start|minute: 0", True),
        ("start|hour: 5", False),
        ("SourceIp|fieldref: DestinationIp", False),
        ("DestinationIp|fieldref: server", True),
        ("DestinationHostname|fieldref|startswith: DestinationHostname", True),
    ],
)
def test_a_modifier_matches_what_the_specification_says(field, hit):
    found = matched(rule(field), flows=[flow()])
    assert len(found) == hit
    if found:
        assert (found[0]["device"], found[0]["uid"], found[0]["package"]) == ("d", 7, "com.a")
        assert (found[0]["peer"], found[0]["alert"], found[0]["score"]) == ("Www.Shop.example", True, 0.6)


def test_what_is_absent_matches_nothing_and_not_of_it_everything():
    nameless = [flow(name=None)]
    assert matched(rule("DestinationHostname: a"), flows=nameless) == []
    assert len(matched(rule("DestinationHostname: a", condition="not s"), flows=nameless)) == 1


def test_what_ends_later_is_decided_later():
    (early,), (late,) = (matched(rule(field), flows=[flow()]) for field in ("uid: 7", "bytes_up: 700"))
    assert early["decided_at"] == "1970-01-01T00:00:01.000000Z"
    assert late["decided_at"] == "1970-01-01T00:00:01.000005Z"


LOOK_UP = {
    "flow": 1,
    "time": US,
    "answered": 2 * US,
    "client": "10.0.0.2",
    "server": "10.0.0.1",
    "qname": "a.b.example",
}
LOOK_UP |= {"qtype": "TXT", "rcode": 0, "answers": ["198.18.0.1", "Other.example"]}
REQUEST = {"time": 2 * US, "end": 3 * US, "device": "d", "client": "10.0.0.2", "client_port": 9, "server": "198.18.3.9"}
REQUEST |= {
    "server_port": 443,
    "sni": "s.example",
    "host": "h.example",
    "method": "POST",
    "path": "/x/a.PHP?q=1",
    "status": 404,
}


@pytest.mark.parametrize(
    ("logsource", "field"),
    [
        ("category: dns", "query|endswith: .example"),
        ("category: dns", "record_type: TXT"),
        ("category: dns", "parent_domain: b.example"),
        ("category: dns", "answer: other.EXAMPLE"),
        ("category: dns", "answer|cidr: 198.18.0.0/16"),
        ("category: dns", "answer|re: '^Oth'"),
        ("category: dns_query", "QueryStatus: 0"),
        ("product: zeek, service: dns", "qtype_name: TXT"),
        ("category: proxy", "c-uri: https://h.example/x/*"),
        ("category: proxy", "c-uri-extension: php"),
        ("category: proxy", "c-uri-query: q=1"),
        ("category: proxy", "c-uri-stem: /x/a.php"),
        ("category: proxy", "cs-method: post"),
        ("category: proxy", "sc-status: 404"),
        ("product: zeek, service: http", "uri|contains: '?q='"),
        ("product: zeek, service: conn", "id.resp_p: 443"),
        ("category: firewall", "dst_ip: 198.18.3.9"),
    ],
)
def test_log_sources_find_whom_an_event_belongs_to(logsource, field):
    (found,) = matched(rule(field, logsource), flows=[flow(client_port=9)], dns=[LOOK_UP], http=[REQUEST])
    assert (found["device"], found["uid"], found["package"]) == ("d", 7, "com.a")


def test_without_flows_a_look_up_belongs_to_its_address():
    (found,) = matched(rule("query: a.b.example", "category: dns"), dns=[LOOK_UP])
    assert (found["device"], found["uid"], found["peer"]) == ("10.0.0.2", None, "a.b.example")
    (query,) = made(rule("query: a.b.example", "category: dns"))
    assert query.needs == ("dns",)


def test_the_state_of_the_phone_is_a_field_that_needs_its_table():
    state = [
        {"time": 0, "device": "d", "foreground_uid": 7, "locked": False},
        {"time": 3 * US, "device": "d", "locked": True},
    ]
    flows = [flow(1), flow(2), flow(3), flow(4, uid=None)]
    (seen,) = matched(rule("foreground: false"), flows=flows, device_state=state)
    assert seen["first_seen"] == "1970-01-01T00:00:03.000000Z"
    assert len(matched(rule("locked: true"), flows=flows, device_state=state)) == 2
    assert matched(rule("foreground: false"), flows=flows) == []
    assert made(rule("foreground: false"))[0].needs == ("device_state", "flows")


CORRELATION = """---
title: C
name: c
level: high
tags: [{tag}]
correlation:
  type: {kind}
  rules: [{rules}]
  group-by: [{by}]
  timespan: 10s
  {rest}
"""


def correlated(kind, rest, rules="t", by="device, package", tag="attack.t1437", first=None):
    return (first or rule("Initiated: true")) + CORRELATION.format(kind=kind, rest=rest, rules=rules, by=by, tag=tag)


def counts(text, **rows):
    return [(row["reasons"][-1]["value"], row["alert"]) for row in matched(text, **rows)]


def test_events_are_counted_in_a_window_that_ends_at_each():
    text = correlated("event_count", "condition: {gte: 3}")
    near, far = [flow(1), flow(6), flow(11)], [flow(1), flow(7), flow(12)]
    assert counts(text, flows=near) == [(3, True)]
    assert counts(text, flows=far) == [(2, False)]
    (row,) = matched(text, flows=[*near, flow(30)])
    assert row["first_seen"] == "1970-01-01T00:00:01.000000Z"
    assert row["decided_at"] == row["last_seen"] == "1970-01-01T00:00:11.000000Z"
    assert row["severity"] == "high"
    assert row["score"] == 0.5
    assert row["peer"] == "Www.Shop.example"


def test_more_than_is_one_more_and_less_than_half_is_not_told():
    flows = [flow(1), flow(2), flow(3)]
    assert counts(correlated("event_count", "condition: {gt: 3}"), flows=flows) == [(3, False)]
    assert counts(correlated("event_count", "condition: {gt: 2}"), flows=flows) == [(3, True)]
    assert counts(correlated("event_count", "condition: {gte: 7}"), flows=flows) == []


def test_groups_are_apart():
    flows = [flow(number, package=f"com.{number % 2}", uid=number % 2) for number in range(1, 7)]
    found = matched(correlated("event_count", "condition: {gte: 3}"), flows=flows)
    assert sorted((row["package"], row["uid"], row["alert"]) for row in found) == [
        ("com.0", 0, True),
        ("com.1", 1, True),
    ]
    (whole,) = matched(correlated("event_count", "condition: {gte: 6}", by="device"), flows=flows)
    assert (whole["package"], whole["uid"], whole["alert"]) == (None, None, True)


def test_values_are_counted_once():
    text = correlated("value_count", "condition: {gte: 2, field: DestinationIp}", tag="attack.t1604")
    assert counts(text, flows=[flow(1), flow(2), flow(3)]) == [(1, False)]
    (row,) = matched(text, flows=[flow(1), flow(2, server="198.18.3.10")])
    assert (row["analytic"], row["peer"], row["alert"]) == ("AN1702", None, True)
    pairs = correlated("value_count", "condition: {gte: 3, field: [DestinationIp, DestinationPort]}")
    assert counts(pairs, flows=[flow(1), flow(2, server_port=80), flow(3, server="1.1.1.1")]) == [(3, True)]


def test_rules_together_in_time():
    both = rule("Initiated: true") + "---\n" + rule("query: a.b.example", "category: dns").replace("name: t", "name: u")
    rest = "aliases:\n    host:\n      t: SourceIp\n      u: src_ip"
    text = correlated("temporal", rest, rules="t, u", by="host", first=both)
    asked = LOOK_UP | {"time": 8 * US}
    assert [row["alert"] for row in matched(text, flows=[flow(1)], dns=[asked])] == [True]
    assert matched(text, flows=[flow(30)], dns=[asked]) == []


def test_a_correlation_speaks_for_its_rules_unless_it_generates():
    text = correlated("event_count", "condition: {gte: 2}")
    assert [query.rule for query in made(text)] == ["c"]
    assert [query.rule for query in made(text.replace("timespan", "generate: true\n  timespan"))] == ["t", "c"]


def test_rules_of_other_files_are_found():
    first, second = correlated("event_count", "condition: {gte: 2}").split("---\n")
    assert compiling.compiled([("a.yml", second), ("b.yml", first)], None)["faults"] == []
    (fault,) = compiling.compiled([("a.yml", second)], None)["faults"]
    assert fault.startswith("a.yml: ")
    assert "same file or folder" in fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (rule("Nonsense: 1"), "x.yml: t: field Nonsense: unknown here, expected one of DestinationHostname"),
        (rule("DestinationHostnam: 1"), "did you mean 'DestinationHostname'?"),
        (rule("- word"), "found the keyword 'word', expected a field"),
        (rule("DestinationPort: many"), "field DestinationPort: found 'many', expected a number"),
        (rule("Initiated: maybe"), "field Initiated: found 'maybe', expected true or false"),
        (rule("Image|gt: 5"), "expected text"),
        (rule("Image|hour: 5"), "expected a field that is a time"),
        (rule("Image|expand: '%apps%'"), "found a placeholder"),
        (rule("DestinationIp|cidr: fe80::/10"), "expected an IPv6 prefix of whole groups"),
        (rule("DestinationHostname|re: 'a(?=b)'"), "which has no look-around and no back-reference"),
        (rule("DestinationHostname|re: '('"), "expected an expression of RE2"),
        (rule("DestinationHostname|sparkle: a"), "sparkle"),
        (rule("Image: a", "category: process_creation"), "x.yml: t: logsource: found category process_creation"),
        (rule("Image: a").replace("attack.t1437", "attack.t9999"), "'tags: [attack.t1437]'"),
        (rule("Image: a", condition="selection"), "x.yml"),
        (
            correlated("value_sum", "condition: {gte: 2, field: bytes_up}"),
            "correlation type: found value_sum, expected",
        ),
        (correlated("event_count", "condition: {lt: 2}"), "correlation condition: found lt 2, expected gte or gt"),
        (correlated("event_count", "condition: {gte: 0}"), "correlation condition: found gte 0"),
        (correlated("value_count", "condition: {gte: 2, field: Nonsense}"), "field Nonsense: unknown here"),
        (correlated("event_count", "condition: {gte: 2}", by="Nonsense"), "field Nonsense: unknown here"),
        (correlated("temporal", "condition: t and t"), "expected gte or gt"),
        ("title: only\n", "x.yml"),
        ("- a\n- b\n", "x.yml: found no Sigma rule"),
        ("", "found no rule that speaks for itself"),
        ("a: [", "x.yml: found no Sigma rule"),
    ],
)
def test_what_is_not_supported_is_told_with_file_and_place(text, fault):
    found = faults(text)
    assert found
    assert any(fault in one for one in found), found


def test_faults_of_all_files_are_told_at_once():
    files = [("a.yml", rule("Nonsense: 1")), ("b.yml", rule("Image|gt: 1").replace("name: t", "name: u"))]
    assert [fault[:5] for fault in compiling.compiled(files, None)["faults"]] == ["a.yml", "b.yml"]


def test_a_rule_may_say_its_analytic_itself_or_the_caller():
    bare = rule("Image: a").replace("tags: [attack.t1437]", "droidrange_analytic: AN1702")
    assert made(bare)[0].analytic == "AN1702"
    (one,) = made(rule("Image: a").replace("tags: [attack.t1437]\n", ""), given="AN1793")
    assert one.analytic == "AN1793"


INJECTIONS = [
    "' OR 1=1 --",
    "'; DROP TABLE flows; --",
    "') OR (1=1",
    "x' UNION SELECT content FROM read_text('/etc/passwd') --",
    "$v99",
    "{relation}",
    "%s",
    "\\' OR true --",
    '" OR true --',
    "]] OR true --",
    "\\u0027 OR 1=1",
    "');COPY flows TO 'planted'--",
]


@pytest.mark.parametrize("value", INJECTIONS)
def test_a_value_is_never_sql(value):
    for modifier in ("", "|contains", "|cased", "|endswith"):
        text = rule(f"DestinationHostname{modifier}: {json.dumps(value)}")
        (query,) = made(text)
        assert value not in query.text
        assert matched(text, flows=[flow()]) == []
        if value.count("\\") == 0:  # Sigma's own escapes
            (hit,) = matched(text, flows=[flow(name=f"{value}")])
            assert hit["peer"] == value


@pytest.mark.parametrize("value", ["' OR 1=1 --", "') OR (1=1"])
def test_pasted_into_a_statement_it_would_have_been(value):
    import duckdb

    with duckdb.connect() as connection:
        connection.register("flows", tables(flows=[flow()])["flows"])
        pasted = f"SELECT count(*) FROM flows WHERE (name = '{value}'" + ("" if "--" in value else ")")
        pasted = pasted.replace("--", ") --")
        assert connection.execute(pasted.replace("(1=1'", "(1=1").replace("= '')", "= '')")).fetchone() == (1,)


@pytest.mark.parametrize(
    "text",
    [
        rule('"server) OR (1=1": x'),
        rule('"\\"server\\" IS NOT NULL OR \\"server\\"": x'),
        correlated("event_count", "condition: {gte: 2}", by="'device, (SELECT 1)'"),
        correlated("value_count", "condition: {gte: 2, field: '1) FROM flows --'}"),
        correlated("event_count", "condition: {gte: '2 OR 1=1'}"),
        correlated("event_count", "condition: {gte: 2}").replace("10s", "10s PRECEDING"),
    ],
)
def test_names_and_numbers_are_never_sql(text):
    assert faults(text)


def test_a_title_is_never_sql():
    text = rule("uid: 7").replace("title: T", "title: \"' || (SELECT 1) || '\"")
    (hit,) = matched(text, flows=[flow()])
    assert hit["reasons"][0]["text"] == "' || (SELECT 1) || ': 1 events"


def test_it_answers_on_stdout(monkeypatch, capsys):
    job = {"files": [["x.yml", rule("uid: 7")]], "analytic": None}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(job)))
    compiling.main()
    assert json.loads(capsys.readouterr().out)["rules"][0]["query"]["rule"] == "t"
