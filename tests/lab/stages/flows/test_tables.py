"""Flows by device: both ends, apps, names."""

from dataclasses import replace

import numpy as np
import pytest

from detector.contract import open_telemetry
from lab.behaviours import Speech
from lab.scenario import compile_scenario, find_scenario, load_scenario
from lab.stages import play
from lab.stages.flows.scenes import played
from lab.stages.flows.tables import numbers_of


def tables_of(found):
    return dict(played(found.timeline, found.links, lambda _done, _total: None).tables)


def test_flows_are_numbered_by_their_first_packet(scene):
    assert numbers_of(scene.pieces).tolist() == list(range(6))
    flows = tables_of(scene)["flows"]
    assert flows["flow"].to_pylist() == list(range(6))
    assert flows["package"].to_pylist()[:2] == ["netd", "com.example.torchlight"]
    assert flows["inbound"].to_pylist() == [False, False, False, False, True, False]
    assert flows["name_from"].to_pylist()[1:3] == ["sni", "host"]


def test_a_flow_between_two_devices_has_two_rows(timeline_of, talk, scene_from):
    import dataclasses

    timeline = timeline_of([talk([(0, 30, 30, 0)], host=2)])
    hosts = (*timeline.hosts[:2], dataclasses.replace(timeline.hosts[2], address="10.88.3.5"), timeline.hosts[3])
    flows = tables_of(scene_from(dataclasses.replace(timeline, hosts=hosts)))["flows"]
    assert flows["flow"].to_pylist() == [0, 0]
    assert flows["device"].to_pylist() == ["phone-01", "phone-02"]
    assert flows["inbound"].to_pylist() == [False, True]
    assert flows["uid"].to_pylist() == [10123, None]


def test_a_name_that_was_looked_up_names_later_flows(timeline_of, talk, scene_from):
    asked = Speech("dns", port=53, options={"qtype": "A", "answer": "198.18.7.9", "ttl": "60"})
    said = [talk([(0, 0, 0, 900)], app=0, speech=asked), talk([(0, 9, 9, 0)], start=10**6)]
    flows = tables_of(scene_from(timeline_of(said)))["flows"]
    assert flows["name"].to_pylist()[1] == "api.garden.example"
    assert flows["name_from"].to_pylist()[1] == "dns"
    alone = tables_of(scene_from(timeline_of(said[1:])))["flows"]
    assert alone["name"].to_pylist() == [None]


def test_exchanges_are_by_flow_and_time(scene):
    table = tables_of(scene)["exchanges"]
    order = np.lexsort((table["start"].to_numpy(), table["flow"].to_numpy()))
    assert order.tolist() == list(range(table.num_rows))


def test_a_tunnel_is_its_owners_after_every_silence(tmp_path):
    timeline = compile_scenario(replace(load_scenario(find_scenario("tunnelled-poll")), span=2 * 3_600_000_000), 1)
    wire, flows = (open_telemetry(play(stage, timeline, tmp_path / stage) / "telemetry") for stage in ("wire", "flows"))
    of_vpn = [row for row in flows["flows"].to_pylist() if row["server_port"] == 51_820]
    assert len(of_vpn) > 5
    assert {(row["uid"], row["package"]) for row in of_vpn} == {(1016, "vpn")}
    for name in ("uid", "package", "app_proto"):
        assert flows["flows"][name].to_pylist() == wire["flows"][name].to_pylist()
    for name in ("packets_up", "packets_down", "bytes_up", "bytes_down"):
        told, said = (sum(one["flows"][name].to_pylist()) for one in (flows, wire))
        assert told == pytest.approx(said, rel=0.01)
    assert flows["exchanges"].num_rows == pytest.approx(wire["exchanges"].num_rows, rel=0.02)
