"""What every scenario, behaviour, protocol, feature and adapter on disk must keep: a new file is under test at once."""

from __future__ import annotations

import dataclasses
import doctest
import inspect
import os
import struct
from importlib import import_module
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from detector.contract import ANALYTICS, SCHEMAS, Finding, Telemetry, Unsupported, detector, detector_names
from lab.protocols import Dialogue, Message
from lab.scenario import compile_scenario, find_scenario, load_scenario, scenario_names

ROOT = Path(__file__).parents[1]


def stems(folder: str) -> list[str]:
    return sorted(path.stem for path in (ROOT / folder).glob("*.py") if path.stem != "__init__")


def source(folder: str, stem: str) -> str:
    return (ROOT / folder / f"{stem}.py").read_text()


def modules(folder: str):
    return pytest.mark.parametrize("module", [import_module(f"{folder.replace('/', '.')}.{s}") for s in stems(folder)])


def promised() -> list[str]:
    """Every module that shows an example."""
    found = (path.relative_to(ROOT) for folder in ("lab", "detector") for path in (ROOT / folder).rglob("*.py"))
    return sorted(str(path.with_suffix("")).replace("/", ".") for path in found if ">>> " in (ROOT / path).read_text())


@pytest.mark.parametrize("name", promised())
def test_examples_in_docstrings_are_true(name):
    result = doctest.testmod(import_module(name.removesuffix(".__init__")))
    assert result.attempted > 0
    assert result.failed == 0


@modules("lab/behaviours")
def test_behaviour_is_a_frozen_dataclass_whose_settings_say_their_source(module):
    behaviour = module.Behaviour
    assert dataclasses.is_dataclass(behaviour)
    assert behaviour.__dataclass_params__.frozen
    assert module.__doc__
    assert behaviour.__doc__
    assert list(inspect.signature(behaviour.plan).parameters) == ["self", "rng", "window"]


@modules("lab/protocols")
def test_protocol_speaks_or_carries_another(module):
    assert module.__doc__
    assert hasattr(module, "messages") or hasattr(module, "wrap") or hasattr(module, "LiveTls")


@pytest.mark.parametrize("name", [s for s in stems("lab/protocols") if "def messages" in source("lab/protocols", s)])
def test_protocol_says_something_on_both_sides(name):
    module = import_module(f"lab.protocols.{name}")
    assert module.TRANSPORT in ("tcp", "udp")
    dialogue = Dialogue(
        host="api.vendor.example",
        port=443,
        options={},
        agent="agent/1.0",
        time=np.array([1_000_000, 60_000_000]),
        up=np.array([300, 300]),
        down=np.array([900, 900]),
        delay=np.array([20_000, 20_000]),
        rng=np.random.default_rng(1),
    )
    said = list(module.messages(dialogue))
    assert all(isinstance(message, Message) and message.data for message in said)
    assert {message.from_client for message in said} == {True, False}


@modules("detector/features")
def test_feature_confesses_what_raises_it_wrongly(module):
    assert module.__doc__
    functions = [f for _, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == module.__name__]
    public = [f for f in functions if not f.__name__.startswith("_")]
    assert public
    text = " ".join([module.__doc__, *(f.__doc__ or "" for f in public)]).lower()
    assert "wrong" in text, "a heuristic says what raises it wrongly"
    assert "need" in text, "a heuristic says which telemetry it needs"


EMPTY = Telemetry({name: schema.empty_table() for name, schema in SCHEMAS.items()}, span=(0, 86_400_000_000))
#: The header of a classic pcap without packets: little-endian, 2.4, Ethernet.
NO_PACKETS = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)


@pytest.fixture
def empty(tmp_path):
    """Telemetry with every table and a capture, and nothing in any of them."""
    capture = tmp_path / "capture.pcap"
    capture.write_bytes(NO_PACKETS)
    return dataclasses.replace(EMPTY, capture=capture, packets=0)


#: What detectors are tried with that are nothing without an argument.
SAMPLES = {
    "findings": os.devnull,
    "python": "examples/steady_contacts.py:SteadyContacts",
    "sigma": "examples/sigma",
    "sql": "examples/interval.sql",
    "suricata": "examples/rules",
}

#: Without an engine or Zeek there is nothing to ask of these; their own tests try them.
ELSEWHERE = {"image", "zeek"}
TRIED = [name for name in detector_names() if name not in ELSEWHERE]


def made(name: str):
    """The detector, with a sample for an argument where it needs one; skipped where its tool is not installed."""
    try:
        return detector(f"{name}:{ROOT / SAMPLES[name]}" if name in SAMPLES else name)
    except Unsupported as fault:
        pytest.skip(str(fault))


@pytest.mark.parametrize("name", TRIED)
def test_detector_finds_nothing_in_nothing_and_agrees_with_itself(name, empty):
    one = made(name)
    assert one.name.startswith(name)
    assert one.version
    assert set(one.needs) <= set(SCHEMAS)
    assert list(one.detect(empty)) == []


@pytest.mark.parametrize("name", TRIED)
def test_detector_answers_in_the_contract_and_twice_the_same(name, empty):
    telemetry = dataclasses.replace(empty, tables={**EMPTY.tables, "flows": beaconing_flows()})
    first, second = (list(made(name).detect(telemetry)) for _ in range(2))
    assert first == second
    for finding in first:
        assert finding.analytic in ANALYTICS
        assert Finding.from_json(finding.to_json()) == finding
        assert finding.first_seen <= finding.decided_at


def beaconing_flows() -> pa.Table:
    rows = []
    for number in range(200):
        row = dict.fromkeys(SCHEMAS["flows"].names)
        start = number * 300_000_000
        row |= {"flow": number, "device": "phone-01", "inbound": False, "uid": 10001, "package": "com.example.x"}
        row |= {"start": start, "end": start + 400_000, "client": "10.88.0.2", "client_port": 40000 + number}
        row |= {"server": "198.18.0.9", "server_port": 443, "proto": "tcp", "established": True, "app_proto": "tls"}
        row |= {"packets_up": 8, "packets_down": 9, "bytes_up": 900, "bytes_down": 4200, "sni": "a.vendor.example"}
        row |= {"name": "a.vendor.example", "name_from": "sni"}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=SCHEMAS["flows"])


@pytest.mark.parametrize("name", scenario_names())
def test_scenario_asks_one_question_and_compiles(name):
    scenario = load_scenario(find_scenario(name))
    assert scenario.name == name
    assert scenario.question.endswith("?")
    timeline = compile_scenario(scenario, 1)
    assert len(timeline.conversations.start)
    assert {incident.analytic for incident in timeline.incidents} == set(scenario.analytics)
    if scenario.analytics:
        assert scenario.expectations, "a malicious scenario proves that its behaviour is in the recording"


SCENARIOS = {name: load_scenario(find_scenario(name)) for name in scenario_names()}


@pytest.mark.parametrize("name", [name for name, scenario in SCENARIOS.items() if scenario.analytics])
def test_malicious_scenario_has_a_benign_twin(name):
    twins = [scenario for scenario in SCENARIOS.values() if scenario.twin_of == name]
    assert twins, "no scenario has twin_of = this one"
    assert all(not twin.analytics for twin in twins)
