"""Tables as they read in the merged capture: shifted, with other addresses and ports, and nothing else changed."""

import pyarrow as pa
import pyarrow.parquet as pq

from lab.injecting.places import Places
from lab.injecting.tables import moved, moved_truth
from lab.recording import open_recording

SHIFT = 5_000_000


def test_times_addresses_and_ports_move(smoke_recording):
    table = pq.read_table(smoke_recording / "telemetry/sockets.parquet")
    row = next(row for row in table.to_pylist() if row["event"] == "connect")
    address, port = row["local_address"], row["local_port"]
    places = Places("192.168.7.1", {address: "192.168.7.9"}, {(address, port): 61_001 - 1_000})
    found = moved(table, "sockets", places, SHIFT)
    assert found.schema.equals(table.schema)
    for new, old in zip(found.to_pylist(), table.to_pylist(), strict=True):
        assert new["time"] == old["time"] + SHIFT
        assert new["local_address"] == places.address(old["local_address"])
        assert new["local_port"] == places.port(old["local_address"], old["local_port"])
        same = [name for name in old if name not in ("time", "local_address", "local_port")]
        assert [new[name] for name in same] == [old[name] for name in same]


def test_nulls_stay_nulls():
    table = pa.table({"time": pa.array([1], pa.int64()), "last_interaction": pa.array([None], pa.int64())})
    assert moved(table, "device_state", Places("x", {}), SHIFT).to_pylist() == [
        {"time": 1 + SHIFT, "last_interaction": None}
    ]


def test_truth_moves_as_a_whole(smoke_recording):
    truth = open_recording(smoke_recording).truth()
    (first, *_), incident = truth.devices.items(), truth.incidents[0]
    places = Places("x", {first[1]: "192.168.7.9", incident.peers[0]: "198.18.99.1"})
    found = moved_truth(truth, places, SHIFT)
    assert found.devices == {**truth.devices, first[0]: "192.168.7.9"}
    assert found.start == truth.start + SHIFT
    new = found.incidents[0]
    assert (new.start, new.end) == (incident.start + SHIFT, incident.end + SHIFT)
    assert "198.18.99.1" in new.peers
    assert len(new.peers) == len(incident.peers)
    assert found.contacts[new.incident][0] == truth.contacts[incident.incident][0] + SHIFT
    assert found.packages == truth.packages
