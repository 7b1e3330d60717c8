"""Flows and exchanges of some devices at a time: all of them, each once, and both ends of a flow between two."""

from __future__ import annotations

from detector.analytics import relay_blocks


def test_exchanges_of_a_flow_between_two_devices_are_with_both(made, monkeypatch):
    flow = made.flow(0, device="phone-01")
    made.rows["flows"].append({**made.rows["flows"][0], "device": "phone-02", "inbound": True})
    made.exchange(flow, 0, 900, 4200)
    other = made.flow(9, device="phone-02")
    made.exchange(other, 9, 900, 4200)
    telemetry = made.telemetry()
    monkeypatch.setattr(relay_blocks, "AT_ONCE", 1)
    apart = relay_blocks.Blocks.of(telemetry["flows"], telemetry["exchanges"])
    assert [said["flow"].to_pylist() for _, said in (apart.part(k) for k in range(2))] == [[flow], [flow, other]]


def test_few_flows_are_one_block(made):
    made.flow(0, device="phone-01")
    made.flow(1, device="phone-02")
    telemetry = made.telemetry()
    apart = relay_blocks.Blocks.of(telemetry["flows"], None)
    assert len(apart) == 1
    assert apart.part(0) == (telemetry["flows"], None)


def test_every_flow_is_in_one_block_in_its_order(made, monkeypatch):
    for start in range(12):
        made.flow(start, device=f"phone-0{start % 3}")
    telemetry = made.telemetry()
    monkeypatch.setattr(relay_blocks, "AT_ONCE", 8)
    apart = relay_blocks.Blocks.of(telemetry["flows"], None)
    found = [part["flow"].to_pylist() for part, _ in (apart.part(k) for k in range(len(apart)))]
    assert found == [[0, 1, 3, 4, 6, 7, 9, 10], [2, 5, 8, 11]]
