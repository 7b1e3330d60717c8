"""ECS: fields of known names alone, counts that add up, findings as alerts, and no truth."""

import json
import re
from datetime import datetime

import pytest

from lab.handing_on.ecs import parts

FIELD_SETS = {
    *("@timestamp", "ecs", "event", "network", "source", "destination", "host", "package", "user", "tls", "http"),
    *("url", "user_agent", "observer", "message", "rule", "threat"),
}


@pytest.fixture(scope="module")
def documents(judged):
    return {
        part.name.partition(".")[0]: [json.loads(line) for line in part.content.splitlines()] for part in parts(judged)
    }


def test_documents_have_known_field_sets_and_what_all_need(documents):
    assert documents.keys() == {"flows", "alerts"}
    for one in [document for rows in documents.values() for document in rows]:
        assert one.keys() <= FIELD_SETS
        assert one.keys() >= {"@timestamp", "ecs", "event"}
        assert datetime.fromisoformat(one["event"]["start"]) <= datetime.fromisoformat(one["event"]["end"])
        assert isinstance(one["event"]["category"], list)


def test_counts_add_up(documents, judged):
    assert len(documents["flows"]) == len(judged.flows)
    assert all(
        one["network"][name] == one["source"][name] + one["destination"][name]
        for one in documents["flows"]
        for name in ("bytes", "packets")
    )
    told = sum(one["network"]["bytes"] for one in documents["flows"])
    assert told == sum(one.flow["bytes_up"] + one.flow["bytes_down"] for one in judged.flows) > 0
    assert {one["package"]["name"] for one in documents["flows"] if "package" in one} > {
        judged.truth.incidents[0].package
    }


def test_findings_are_alerts_and_near_misses_are_none(documents, judged):
    kinds = [one["event"]["kind"] for one in documents["alerts"]]
    assert kinds == ["alert" if one.alert else "event" for one in judged.findings]
    assert "alert" in kinds
    assert [one["rule"]["id"] for one in documents["alerts"]] == [one.analytic for one in judged.findings]


def test_no_truth_is_told(handed):
    (flows,) = parts(handed)
    assert not re.search(rb"Malicious|Benign|AN1793|http-poll|incident|label", flows.content)
