import numpy as np
import pytest

from lab.errors import EvidenceError, ScenarioError
from lab.recording import open_recording
from lab.replaying.choosing import INSIDE, OUTSIDE, devices_of, hardware, inside_of, rows_of, sides
from lab.replaying.source import read_source

INCIDENT = "phone-01/com.example.torchlight/http-poll"


@pytest.fixture
def opened(recorded):
    return read_source(recorded / "telemetry/capture.pcap"), open_recording(recorded).truth()


def test_an_incident_is_its_own_conversations(opened, recorded):
    source, truth = opened
    chosen = source.take(rows_of(source, recorded, truth, [INCIDENT]))
    ported = chosen.take(np.flatnonzero(chosen.source_port >= 0))
    spoken = {ported.addresses[place] for place in np.unique(np.concatenate([ported.source, ported.target]))}
    assert "198.18.7.9" in spoken  # the peer of the incident
    assert "198.18.7.10" not in spoken  # an innocent one
    assert {int(port) for port in np.unique(ported.target_port[ported.asks])} <= {443, 53}
    assert 0 < len(chosen) < len(source)


def test_an_unknown_incident_names_the_known_ones(opened, recorded):
    source, truth = opened
    with pytest.raises(ScenarioError, match=f"did you mean '{INCIDENT}'"):
        rows_of(source, recorded, truth, [INCIDENT + "s"])


def test_an_incident_that_no_frame_shows_is_no_empty_replay(opened, recorded):
    source, truth = opened
    others = source.take(np.flatnonzero(source.target_port != 443))
    others = others.take(np.flatnonzero(others.source_port != 443))
    with pytest.raises(EvidenceError, match="no frame of"):
        rows_of(others, recorded, truth, [INCIDENT])


def test_devices_are_inside_and_the_rest_is_not(opened):
    source, truth = opened
    devices = devices_of(truth)
    assert devices == {"phone-01": ["10.88.3.4"], "phone-02": ["10.88.3.5"]}
    side = sides(source, inside_of(source.addresses, devices))
    from_devices = np.isin(
        source.source, [source.addresses.index(one) for one in ("10.88.3.4", "10.88.3.5") if one in source.addresses]
    )
    assert (side == np.where(from_devices, INSIDE, OUTSIDE)).all()
    assert 0 < from_devices.sum() < len(source)


def test_without_names_the_lan_is_inside_but_for_its_resolver():
    told = inside_of(["10.88.0.1", "10.88.3.4", "198.18.0.9", "2001:db8::1"], {})
    assert told.tolist() == [False, True, False, False]


def test_without_devices_who_asks_is_inside(opened):
    source, _ = opened
    nobody = np.zeros(len(source.addresses), np.bool_)
    assert (sides(source, nobody) == np.where(source.asks | (source.flow < 0), INSIDE, OUTSIDE)).all()


def test_hardware_addresses_are_told_by_device_address_and_gateway(opened):
    source, truth = opened
    found = hardware(source, devices_of(truth))
    assert found["phone-01"] == found["10.88.3.4"] == ["02:11:22:33:44:55"]
    assert set(found["gateway"]) == {"02:aa:bb:cc:dd:ee"}
